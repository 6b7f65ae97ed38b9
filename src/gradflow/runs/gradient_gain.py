"""The gain per layer: over which layers it is taken, and its value. Shape letters: L layers, S steps."""

from collections.abc import Sequence

import numpy as np


def gain_per_layer(rms_SL: np.ndarray) -> np.ndarray:
    """By what factor the gradient changes from one layer to the layer before it.

    Args:
        rms_SL: root mean square of the weight gradient of each layer in forward order, shape (S, L), L >= 2. The
            weights have one shape; otherwise the factor would mix depth with the layers' sizes.

    Returns:
        10 to the power of minus the least-squares slope of log10 rms on the layer's place, shape (S,): under 1 where
        the gradient shrinks on its way to the input, over 1 where it grows. NaN where some layer's gradient is zero.
    """
    layers = rms_SL.shape[-1]
    place_L = np.arange(layers) - (layers - 1) / 2
    logs_SL = np.log10(rms_SL, out=np.full(rms_SL.shape, np.nan), where=rms_SL > 0)
    return np.power(10.0, -(logs_SL * place_L).sum(-1) / np.square(place_L).sum())


def longest_chain(shapes: Sequence[Sequence[object]]) -> list[int]:
    """The layers over which `gain_per_layer` is taken: the most that have one shape, the first of all never counting.

    The first layer sees the data instead of activations, so its gradient is of another kind.

    Args:
        shapes: of each hidden layer's weight, or of its weights if it has several, in forward order.

    Returns:
        Places in `shapes`, ascending; of two chains of the same length the one that begins nearer to the input. Empty
        where no two layers have the same shape.
    """
    chains: dict[tuple[object, ...], list[int]] = {}
    for place, shape in enumerate(shapes[1:], start=1):
        chains.setdefault(tuple(shape), []).append(place)
    longest = max(chains.values(), key=len, default=[])
    return longest if len(longest) > 1 else []
