"""How raw numbers become network inputs and targets."""

from collections.abc import Sequence

import numpy as np

from gradflow.errors import ConfigError, is_finite


def check_pixel_range(pixel_range: Sequence[float]) -> tuple[float, float]:
    """The range as two floats.

    Raises:
        ConfigError: if it is not [low, high] with low < high, both finite.
    """
    ends = list(pixel_range) if isinstance(pixel_range, Sequence) else []
    if len(ends) != 2 or not all(map(is_finite, ends)) or ends[0] >= ends[1]:
        raise ConfigError(f"data.pixel_range={pixel_range}: give [low,high], low < high, e.g. data.pixel_range=[-1,1]")
    return float(ends[0]), float(ends[1])


def pixel_map(pixel_range: tuple[float, float], *, pixel_max: int) -> tuple[float, float]:
    """Scale and shift that map 0..pixel_max to the range: `pixel * scale + shift`."""
    low, high = pixel_range
    return (high - low) / pixel_max, low


def moments(array: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation (ddof = 0) of the given rows, in float64.

    Args:
        array: shape (samples,) or (samples, features), float32.
        rows: row numbers, e.g. of the training set.

    Returns:
        Both float64, shape () or (features,). Where a feature is constant in those rows, its standard deviation counts
        as 1.
    """
    chosen = array[rows].astype(np.float64)
    constant = chosen.min(axis=0) == chosen.max(axis=0)  # the computed deviation may be a rounding error above 0
    return chosen.mean(axis=0), np.where(constant, 1.0, chosen.std(axis=0))


def standardized(array: np.ndarray, mean: np.ndarray | float, sd: np.ndarray | float) -> np.ndarray:
    """`(array - mean) / sd`, computed in float64, as float32."""
    return ((array.astype(np.float64) - mean) / sd).astype(np.float32)


def z_scores(array: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An array standardized by the moments of the given rows, float32, and their standard deviations; see `moments`."""
    mean, sd = moments(array, rows)
    return standardized(array, mean, sd), sd
