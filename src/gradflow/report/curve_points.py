"""Points of a figure from the curves of several runs: averaged over the runs, and thinned where there are thousands.

Shape letters: R runs (seeds), S steps, P points.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gradflow.runs.events import Curve
from gradflow.study.averages import align
from gradflow.study.statistics import UNLIMITED, band

BAND = ["n", "mean", "low", "high"]
SPREAD = {"p5": 0.05, "p95": 0.95}  # nine in ten single values are between them


def banded(
    values_RP: np.ndarray, *, log10: bool = False, within: tuple[float, float] = UNLIMITED, **columns: Any
) -> pd.DataFrame:
    """n, mean and interval over the runs, each of shape (P,), next to the columns that identify the points."""
    averaged = band(values_RP, log10=log10, within=within)
    return pd.DataFrame({**columns, **{name: getattr(averaged, name) for name in BAND}})


def thinned(
    runs: Sequence[Curve], *, most: int, log10: bool, within: tuple[float, float] = UNLIMITED, **columns: Any
) -> tuple[pd.DataFrame, int]:
    """A curve with a value at every update, as the means of equal stretches of updates.

    Args:
        runs: the same tag of each run, at least one.
        most: the largest number of points to keep.
        log10: average the logarithms; a value of exactly zero has none and counts as missing.
        within: as in `statistics.summary`.
        columns: further columns, the same in every row.

    Returns:
        One row per stretch: `update` (its first), n, mean, low and high over the runs' means of the stretch, and `p5`
        and `p95`, the percentiles of all single values of all runs (NaN where a stretch is one update); and the number
        of recorded updates per stretch.
    """
    steps, values_RS = align(runs)
    size = -(-len(steps) // most)
    starts = np.arange(0, len(steps), size)
    present_RS = np.isfinite(values_RS) & (values_RS > 0 if log10 else True)
    kept_RS = np.where(present_RS, values_RS, np.nan)
    means_RP = _stretch_means(np.log10(kept_RS) if log10 else kept_RS, starts)
    stretches_RP = 10.0**means_RP if log10 else means_RP
    points = banded(stretches_RP, log10=log10, within=within, **columns, update=steps[starts])
    return points.assign(**_spread(kept_RS, size)), size


def _stretch_means(values_RS: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Mean of each stretch, shape (R, P); NaN where a run has no value in it."""
    counts_RP = np.add.reduceat(np.isfinite(values_RS), starts, axis=1, dtype=np.int64)
    sums_RP = np.add.reduceat(np.nan_to_num(values_RS), starts, axis=1)
    return np.divide(sums_RP, counts_RP, out=np.full_like(sums_RP, np.nan), where=counts_RP > 0)


def _spread(values_RS: np.ndarray, size: int) -> dict[str, np.ndarray]:
    """The percentiles of `SPREAD` of each stretch, shape (P,); NaN where there is none."""
    runs, steps = values_RS.shape
    padded_RS = np.pad(values_RS, ((0, 0), (0, -steps % size)), constant_values=np.nan)
    values_PV = padded_RS.reshape(runs, -1, size).swapaxes(0, 1).reshape(-1, runs * size)
    found = np.full((len(SPREAD), len(values_PV)), np.nan)
    if size == 1:
        return dict(zip(SPREAD, found, strict=True))
    present_PV = np.isfinite(values_PV)
    whole, part = present_PV.all(axis=1), present_PV.any(axis=1)
    found[:, whole] = np.quantile(values_PV[whole], list(SPREAD.values()), axis=1)
    for i in np.flatnonzero(part & ~whole):  # few: the last stretch, runs of different lengths
        found[:, i] = np.nanquantile(values_PV[i], list(SPREAD.values()))
    return dict(zip(SPREAD, found, strict=True))
