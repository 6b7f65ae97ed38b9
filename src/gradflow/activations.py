"""Activation functions: the one that torch lacks, and what is known of any of them (slope, range, gain)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gradflow import activation_probes as probes
from gradflow.slopes import CLOSED_FORMS, SELU_ALPHA, SELU_SCALE, slope

__all__ = ["Facts", "Maxout", "facts", "gain", "is_elementwise", "largest_slope", "pieces", "slope"]

LOW_SLOPE = 0.05  # of the largest: below it a unit is in a flat part, as in the tag low_slope
CENTRED_MEAN = 0.05  # of the root mean square output
_MIXING = (nn.Softmax, nn.Softmax2d, nn.Softmin, nn.LogSoftmax, nn.GLU)


class Maxout(nn.Module):
    """The largest of `pieces` linear functions: (N, pieces * units, ...) to (N, units, ...).

    Unit u takes its pieces from the input channels u * pieces to u * pieces + pieces - 1.

    Source: Goodfellow et al. 2013, arXiv:1302.4389.
    """

    def __init__(self, pieces: int = 2) -> None:
        super().__init__()
        if pieces < 1:
            raise ValueError(f"pieces={pieces}: a maxout unit needs at least one piece")
        self.pieces = pieces

    def forward(self, z: Tensor) -> Tensor:
        return z.unflatten(1, (-1, self.pieces)).amax(2)

    def extra_repr(self) -> str:
        return f"pieces={self.pieces}"


def pieces(activation: nn.Module) -> int:
    """How many times wider than its output this activation's input is: its attribute `pieces`, or 1 without one."""
    return int(getattr(activation, "pieces", 1))


@dataclass(frozen=True)
class Facts:
    """What an activation is, with its present parameters.

    Attributes:
        lower: infimum of the output, -inf if there is none.
        upper: supremum of the output, inf if there is none.
        zero_centred: the mean output under a standard normal input is within 5 % of the root mean square output.
            True for odd functions (identity, tanh, softsign, hardtanh) and for SELU, whose constants were chosen for a
            mean of 0; false for leaky ReLU and its kin, ELU and CELU at their usual parameters, whose means are
            positive. ELU gets there as its alpha comes close to SELU's, from about 1.5.
        sigmoid_like: bounded, monotone, and steep at 0: the slope there is at least 5 % of the largest, so that both
            flat parts lie away from a centred input. True for sigmoid, tanh, softsign, hardtanh. ReLU6 is bounded too
            but already flat at 0: a rectifier, whose low slopes are the usual sparsity.
        largest_slope: the supremum of abs f'(z), None for functions that are not elementwise.
        elementwise: whether one entry of the input decides one entry of the output.
    """

    lower: float
    upper: float
    zero_centred: bool
    sigmoid_like: bool
    largest_slope: float | None
    elementwise: bool


def facts(activation: nn.Module) -> Facts:
    """The facts of an activation; those of a custom module are measured, its range on [-500, 500]."""
    elementwise = is_elementwise(activation)
    lower, upper = _output_range(activation, elementwise=elementwise)
    mean, square = _normal_moments(activation, elementwise=elementwise)
    bounded = math.isfinite(lower) and math.isfinite(upper)
    return Facts(
        lower=lower,
        upper=upper,
        zero_centred=abs(mean) <= CENTRED_MEAN * math.sqrt(square),
        sigmoid_like=elementwise and bounded and _is_sigmoid_like(activation),
        largest_slope=largest_slope(activation) if elementwise else None,
        elementwise=elementwise,
    )


def largest_slope(activation: nn.Module) -> float:
    """The supremum of abs f'(z): in closed form, or on a grid over [-50, 50] in float64 that is denser near 0.

    Returns:
        At least 0; nan if the slope is finite nowhere on the grid.

    Raises:
        ValueError: if the activation is not elementwise, as far as its output's shape shows it.
    """
    closed_form = _LARGEST_SLOPES.get(type(activation))
    if closed_form is not None:
        return closed_form(activation)
    return probes.largest_slope(activation)


def gain(activation: nn.Module) -> float:
    """The factor on initial weights that belongs to an activation.

    `torch.nn.init.calculate_gain` where torch lists the function (identity, sigmoid, tanh, ReLU, leaky ReLU, SELU).
    Otherwise 1 / sqrt(E[f(z)²]) for standard normal z, which keeps the second moment from layer to layer: the argument
    of He et al. 2015, arXiv:1502.01852, section 2.2, with f in ReLU's place. PReLU counts with its present weight,
    RReLU with its mean slope, maxout with the largest of `pieces` independent z. 1 for other functions that are not
    elementwise, and where that moment is 0 or not finite.
    """
    if type(activation) in _LISTED_GAINS:
        return float(nn.init.calculate_gain(_LISTED_GAINS[type(activation)]))
    if type(activation) is nn.LeakyReLU:
        return float(nn.init.calculate_gain("leaky_relu", float(activation.negative_slope)))
    elementwise = is_elementwise(activation)
    if not elementwise and not isinstance(activation, Maxout):
        return 1.0
    _, square = _normal_moments(activation, elementwise=elementwise)
    return 1 / math.sqrt(square) if 0 < square < math.inf else 1.0


def is_elementwise(activation: nn.Module) -> bool:
    """Whether each output entry depends on the input entry at its own place only, and the shape is preserved.

    Modules that torch.nn does not have are tried out: one entry of a small input is changed at a time.
    """
    if isinstance(activation, (Maxout, *_MIXING)):
        return False
    return type(activation) in CLOSED_FORMS or probes.acts_entry_by_entry(activation)


def _output_range(activation: nn.Module, *, elementwise: bool) -> tuple[float, float]:
    closed_form = _RANGES.get(type(activation))
    if closed_form is not None:
        return closed_form(activation)
    return probes.output_range(activation, elementwise=elementwise)


def _normal_moments(activation: nn.Module, *, elementwise: bool) -> tuple[float, float]:
    """E[f(z)] and E[f(z)²] for standard normal z."""
    if isinstance(activation, Maxout):
        return probes.moments_of_the_largest_normal(activation.pieces)
    return probes.normal_moments(activation, elementwise=elementwise)


def _is_sigmoid_like(activation: nn.Module) -> bool:
    """For bounded elementwise functions: monotone, and steep at 0."""
    at_zero = float(slope(activation, probes.spread(activation, torch.zeros(1, dtype=torch.float64))).abs().min())
    return probes.is_monotone(activation) and at_zero >= LOW_SLOPE * largest_slope(activation) > 0


def _leaky_range(below: float) -> tuple[float, float]:
    return (-math.inf if below > 0 else 0.0), math.inf


_LISTED_GAINS: dict[type[nn.Module], Any] = {
    nn.Identity: "linear",
    nn.Sigmoid: "sigmoid",
    nn.Tanh: "tanh",
    nn.ReLU: "relu",
    nn.SELU: "selu",
}

# Those without an entry (GELU, SiLU, Mish and custom modules) are measured.
_LARGEST_SLOPES: dict[type[nn.Module], Callable[[Any], float]] = {
    nn.Identity: lambda m: 1.0,
    nn.Sigmoid: lambda m: 0.25,
    nn.Tanh: lambda m: 1.0,
    nn.ReLU: lambda m: 1.0,
    nn.LeakyReLU: lambda m: max(1.0, abs(m.negative_slope)),
    nn.PReLU: lambda m: max(1.0, float(m.weight.detach().abs().max())),
    nn.RReLU: lambda m: max(1.0, abs(m.lower + m.upper) / 2),
    nn.ELU: lambda m: max(1.0, abs(m.alpha)),
    nn.SELU: lambda m: SELU_SCALE * SELU_ALPHA,
    nn.CELU: lambda m: 1.0,
    nn.Softplus: lambda m: 1.0,
    nn.Softsign: lambda m: 1.0,
    nn.Hardtanh: lambda m: 1.0,
    nn.Hardswish: lambda m: 1.5,  # approached at 3 from below
    nn.ReLU6: lambda m: 1.0,
}

_RANGES: dict[type[nn.Module], Callable[[Any], tuple[float, float]]] = {
    nn.Identity: lambda m: (-math.inf, math.inf),
    nn.Sigmoid: lambda m: (0.0, 1.0),
    nn.Tanh: lambda m: (-1.0, 1.0),
    nn.ReLU: lambda m: (0.0, math.inf),
    nn.LeakyReLU: lambda m: _leaky_range(m.negative_slope),
    nn.PReLU: lambda m: _leaky_range(float(m.weight.detach().max())),
    nn.RReLU: lambda m: _leaky_range((m.lower + m.upper) / 2),
    nn.ELU: lambda m: (min(0.0, -m.alpha), math.inf),
    nn.SELU: lambda m: (-SELU_SCALE * SELU_ALPHA, math.inf),
    nn.CELU: lambda m: (-m.alpha, math.inf),
    nn.Softplus: lambda m: (0.0, math.inf),
    nn.Softsign: lambda m: (-1.0, 1.0),
    nn.Hardtanh: lambda m: (m.min_val, m.max_val),
    nn.Hardswish: lambda m: (-0.375, math.inf),  # at -1.5
    nn.ReLU6: lambda m: (0.0, 6.0),
    Maxout: lambda m: (-math.inf, math.inf),
}
