"""What is known about an activation: range, largest slope, gain, and what kind of function it is.

The functions of torch.nn have closed forms; any other function is probed.
"""

import math
from dataclasses import dataclass

import torch
from torch import nn

from gradflow.activations import probes
from gradflow.activations.closed_forms import CLOSED_FORMS
from gradflow.activations.maxout import Maxout
from gradflow.activations.slopes import slope

LOW_SLOPE = 0.05  # of the largest: below it a unit is in a flat part, as in the tag low_slope
CENTRED_MEAN = 0.05  # of the root mean square output
_MIXING = (nn.Softmax, nn.Softmax2d, nn.Softmin, nn.LogSoftmax, nn.GLU)


@dataclass(frozen=True)
class Facts:
    """What an activation is, with its current parameters.

    Attributes:
        lower: infimum of the output, -inf if there is none.
        upper: supremum of the output, inf if there is none.
        zero_centred: the mean output under a standard normal input is within 5 % of the root mean square output.
            True for odd functions (identity, tanh, softsign, hardtanh) and for SELU, whose constants were chosen for a
            mean of 0; false for leaky ReLU and its relatives, and for ELU and CELU at their usual parameters, whose
            means are positive. ELU becomes zero-centred as its alpha approaches SELU's, from about 1.5.
        sigmoid_like: bounded, monotone, and steep at 0: the slope there is at least 5 % of the largest, so that both
            flat parts lie away from a centred input. True for sigmoid, tanh, softsign, hardtanh. ReLU6 is bounded too
            but already flat at 0: a rectifier, whose low slopes are the usual sparsity.
        largest_slope: the supremum of abs f'(z), None for functions that are not elementwise.
        elementwise: whether each output entry depends on the input entry at its own place only.
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
        ValueError: if the activation is not elementwise, as far as its output's shape shows.
    """
    known = CLOSED_FORMS.get(type(activation))
    if known is not None and known.largest_slope is not None:
        return known.largest_slope(activation)
    return probes.largest_slope(activation)


def gain(activation: nn.Module) -> float:
    """The factor by which initial weights are scaled for an activation.

    `torch.nn.init.calculate_gain` where torch lists the function (identity, sigmoid, tanh, ReLU, leaky ReLU, SELU).
    Otherwise 1 / sqrt(E[f(z)²]) for standard normal z, which keeps the second moment from layer to layer: the argument
    of He et al. 2015, arXiv:1502.01852, section 2.2, with f in ReLU's place. PReLU counts with its current weight,
    RReLU with its mean slope, maxout with the largest of `pieces` independent z. 1 for other functions that are not
    elementwise, and where that moment is 0 or not finite.
    """
    known = CLOSED_FORMS.get(type(activation))
    if known is not None and known.gain is not None:
        return known.gain(activation)
    elementwise = is_elementwise(activation)
    if not elementwise and not isinstance(activation, Maxout):
        return 1.0
    _, square = _normal_moments(activation, elementwise=elementwise)
    return 1 / math.sqrt(square) if 0 < square < math.inf else 1.0


def is_elementwise(activation: nn.Module) -> bool:
    """Whether each output entry depends on the input entry at its own place only, and the shape is preserved.

    Modules without a closed form are probed: one entry of a small input is changed at a time.
    """
    if isinstance(activation, (Maxout, *_MIXING)):
        return False
    return type(activation) in CLOSED_FORMS or probes.acts_entry_by_entry(activation)


def _output_range(activation: nn.Module, *, elementwise: bool) -> tuple[float, float]:
    known = CLOSED_FORMS.get(type(activation))
    if known is not None and known.range is not None:
        return known.range(activation)
    if isinstance(activation, Maxout):
        return -math.inf, math.inf
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
