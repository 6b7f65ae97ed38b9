"""Facts and cost of every activation."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gradflow import activations
from gradflow.activations.facts import LOW_SLOPE
from gradflow.activations.probes import REACH
from gradflow.lesson.experiments.families import Family
from gradflow.seeds import Stream, torch_seed

_SCAN = 200_001  # points from -REACH to REACH, 0.0005 apart: narrower flat ranges are missed
COST_SHAPE = 256, 1024  # entries of a timed pass: samples, units
MATRIX_PRODUCT = "matrix product"  # of a layer with as many inputs as units
_COST_WARM_UP = 3


@dataclass(frozen=True)
class Known:
    """Facts about an activation with one value of its parameter.

    Attributes:
        lower: infimum of the output.
        upper: supremum of the output.
        largest_slope: supremum of abs f'(z).
        zero_centred: whether the mean output of a standard normal input is at most 5 % of its root mean square.
        flat: the input ranges in which abs f'(z) is under 5 % of the largest slope, ascending; ±inf where a range
            reaches the end of the search, ±50.
    """

    lower: float
    upper: float
    largest_slope: float
    zero_centred: bool
    flat: tuple[tuple[float, float], ...]


def known(activation: nn.Module) -> Known:
    """The facts of an elementwise activation."""
    facts = activations.facts(activation)
    assert facts.largest_slope is not None, "the lesson shows functions of one input"
    return Known(
        lower=facts.lower,
        upper=facts.upper,
        largest_slope=facts.largest_slope,
        zero_centred=facts.zero_centred,
        flat=flat_ranges(activation, largest_slope=facts.largest_slope),
    )


def flat_ranges(activation: nn.Module, *, largest_slope: float) -> tuple[tuple[float, float], ...]:
    """Where abs f'(z) is under 5 % of the largest: ranges of z within [-50, 50], their ends to about 1e-9.

    A range that reaches ±50 is taken to extend to infinity; ranges narrower than 0.0005 are missed.
    """

    def is_flat(z: Tensor) -> Tensor:
        return activations.slope(activation, z).abs() < LOW_SLOPE * largest_slope

    z = torch.linspace(-REACH, REACH, _SCAN, dtype=torch.float64)
    flat = is_flat(z)
    changes = torch.nonzero(flat[1:] != flat[:-1]).flatten()
    ends = [_bisect(is_flat, float(z[i]), float(z[i + 1])) for i in changes]
    if flat[0]:
        ends.insert(0, -math.inf)
    if flat[-1]:
        ends.append(math.inf)
    return tuple(zip(ends[::2], ends[1::2], strict=True))


def _bisect(is_flat: Callable[[Tensor], Tensor], low: float, high: float) -> float:
    at_low = bool(is_flat(torch.tensor([low], dtype=torch.float64)))
    while high - low > 1e-9:
        middle = (low + high) / 2
        if bool(is_flat(torch.tensor([middle], dtype=torch.float64))) == at_low:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def costs(families: Sequence[Family], *, repetitions: int) -> dict[str, float]:
    """Time of a forward and backward pass relative to ReLU's, by name, on this machine.

    The shortest of repetitions in which the activations take turns (load by others only adds to them), float32,
    gradient of the sum. Maxout's input is twice as wide as its output, as it is in a network. `MATRIX_PRODUCT` is the
    cost of the layer itself, from 1,024 inputs to 1,024 units.
    """
    generator = torch.Generator().manual_seed(torch_seed(0, Stream.STOCHASTIC))
    samples, units = COST_SHAPE
    modules = {family.name: family.make().train() for family in families}
    modules[MATRIX_PRODUCT] = nn.Linear(units, units)
    for module in modules.values():
        if hasattr(module, "inplace"):
            module.inplace = False  # type: ignore[assignment]  # the same for all, and the inputs are reused
    seconds: dict[str, list[float]] = {name: [] for name in modules}
    inputs = {
        count: torch.randn(samples, count * units, generator=generator).requires_grad_()
        for count in {activations.pieces(module) for module in modules.values()}
    }
    for repetition in range(_COST_WARM_UP + repetitions):
        for name, module in modules.items():
            z = inputs[activations.pieces(module)]
            z.grad = None
            start = time.perf_counter()
            module(z).sum().backward()
            spent = time.perf_counter() - start
            if repetition >= _COST_WARM_UP:
                seconds[name].append(spent)
    shortest = {name: min(spent) for name, spent in seconds.items()}
    return {name: spent / shortest["relu"] for name, spent in shortest.items()}
