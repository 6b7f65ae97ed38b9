"""What runs of version 1 have recorded, under today's tags.

They evaluated by batch normalisation's running averages, called the score by recomputed statistics `..._precise_bn`,
and recorded `grad_flow/decades_per_layer` over all hidden layers, whatever their shapes. In its place comes the gain
per layer, from the gradients of the blocks after the network's first layer, if they have one width.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from gradflow.runs import tags
from gradflow.runs.gradient_gain import gain_per_layer

T = TypeVar("T")
_DECADES, _PRECISE_BN = f"{tags.GRAD_FLOW}/decades_per_layer", "_precise_bn"


def is_of_version_1(recorded: Iterable[str]) -> bool:
    """Whether these tags are those of a run of version 1."""
    return any(tag == _DECADES or tag.endswith(_PRECISE_BN) for tag in recorded)


def tag_of_today(tag: str) -> str:
    """`test/acc_precise_bn` -> `test/acc_recomputed_bn`, and the gain for the decades."""
    if tag.endswith(_PRECISE_BN):
        return tags.recomputed_bn(tag.removesuffix(_PRECISE_BN))
    return tags.GAIN_PER_LAYER if tag == _DECADES else tag


def upgraded(values: Mapping[str, T], gain: Callable[[list[T]], T], *, overrides: Sequence[str]) -> dict[str, T]:
    """Values or curves by today's tags.

    Args:
        values: by the tags of version 1.
        gain: the gain per layer, from what two or more layers have as `grad_rms`, in forward order.
        overrides: of the run.
    """
    found = {tag_of_today(tag): value for tag, value in values.items() if tag != _DECADES}
    by_layer = tags.by_layer(found, tags.GRAD_RMS)
    layers = sorted(by_layer, key=lambda layer: int(layer.partition("_")[0]))
    chain = [by_layer[layer] for layer in layers[1:] if layer.endswith("_block") and by_layer[layer] is not None]
    widths_differ = any(one.startswith("width=[") for one in overrides)
    if len(chain) > 1 and not widths_differ:
        found[tags.GAIN_PER_LAYER] = gain(chain)
    return found


def gain_of_values(chain: Sequence[float | None]) -> float | None:
    """The gain per layer of single values; None where a layer's gradient is zero."""
    gain = float(gain_per_layer(np.array(chain, dtype=float)[None])[0])
    return gain if np.isfinite(gain) else None
