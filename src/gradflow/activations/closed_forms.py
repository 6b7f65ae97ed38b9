"""Closed forms for the functions of torch.nn: slope, range, largest slope and gain, one row per function.

Slopes stay accurate in float32 far into the tails, where autograd's 1 - tanh(z)² is already 0.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SELU_ALPHA = 1.6732632423543772  # Klambauer et al. 2017, arXiv:1706.02515, equation 14
SELU_SCALE = 1.0507009873554805


@dataclass(frozen=True)
class ClosedForm:
    """One elementwise function; every entry takes the module, whose parameters it reads.

    Attributes:
        slope: (module, z) -> f'(z), z of any shape; at kinks as torch's autograd gives it.
        range: module -> infimum and supremum of the output; None to measure them.
        largest_slope: module -> supremum of abs f'(z); None to measure it.
        gain: module -> the factor on initial weights that torch lists for it; None where torch lists none.
    """

    slope: Callable[[Any, Tensor], Tensor]
    range: Callable[[Any], tuple[float, float]] | None = None
    largest_slope: Callable[[Any], float] | None = None
    gain: Callable[[Any], float] | None = None


def _listed(name: str) -> Callable[[Any], float]:
    """The gain that torch lists under this name."""
    return lambda m: float(nn.init.calculate_gain(name))  # type: ignore[arg-type]


def _always(*values: float) -> Callable[[Any], Any]:
    """The same number, or pair of numbers, whatever the module's parameters."""
    return lambda m: values if len(values) > 1 else values[0]


def _leaky_range(below: float) -> tuple[float, float]:
    return (-math.inf if below > 0 else 0.0), math.inf


def _step(z: Tensor) -> Tensor:
    """1 above zero, 0 at zero and below; numbers at once, a tenth of the time of turning truths into numbers."""
    return torch.gt(z, 0, out=torch.empty_like(z))


def _rectified(z: Tensor, below: Tensor | float) -> Tensor:
    """1 above zero, `below` at zero and below."""
    return torch.where(z > 0, z.new_ones(()), torch.as_tensor(below, dtype=z.dtype, device=z.device))


def _bounded(z: Tensor) -> Tensor:
    """z where the slope still varies: at 1e3 the products below have reached their limits, and inf * 0 would be nan."""
    return z.clamp(-1e3, 1e3)


def _sech_squared(z: Tensor) -> Tensor:
    return 4 * torch.sigmoid(2 * z) * torch.sigmoid(-2 * z)  # 1 - tanh² cancels to 0 from |z| = 9 in float32


def _prelu(m: nn.PReLU, z: Tensor) -> Tensor:
    per_unit = (-1, *[1] * (z.dim() - 2)) if m.weight.numel() > 1 else ()
    return _rectified(z, m.weight.detach().view(per_unit))


def _gelu(m: nn.GELU, z: Tensor) -> Tensor:
    z = _bounded(z)
    if m.approximate == "tanh":
        scale = math.sqrt(2 / math.pi)
        u = scale * (z + 0.044715 * z**3)
        du = scale * (1 + 3 * 0.044715 * z**2)
        return torch.sigmoid(2 * u) + z * 2 * du * torch.sigmoid(2 * u) * torch.sigmoid(-2 * u)
    density = torch.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return torch.erfc(-z / math.sqrt(2)) / 2 + z * density


def _silu(_: nn.SiLU, z: Tensor) -> Tensor:
    z = _bounded(z)
    return torch.sigmoid(z) * (1 + z * torch.sigmoid(-z))


def _mish(_: nn.Mish, z: Tensor) -> Tensor:
    z = _bounded(z)
    softplus = F.softplus(z)
    return torch.tanh(softplus) + z * _sech_squared(softplus) * torch.sigmoid(z)


def _softplus(m: nn.Softplus, z: Tensor) -> Tensor:
    return torch.where(z * m.beta > m.threshold, torch.ones_like(z), torch.sigmoid(z * m.beta))


def _hardswish(_: nn.Hardswish, z: Tensor) -> Tensor:
    return torch.where(z.abs() < 3, z / 3 + 0.5, (z > 0).to(z))


def _clipped(m: nn.Hardtanh, z: Tensor) -> Tensor:
    return ((z > m.min_val) & (z < m.max_val)).to(z)


# Slope, range, largest slope, gain.
CLOSED_FORMS: dict[type[nn.Module], ClosedForm] = {
    nn.Identity: ClosedForm(
        lambda m, z: torch.ones_like(z), _always(-math.inf, math.inf), _always(1.0), _listed("linear")
    ),
    nn.Sigmoid: ClosedForm(
        lambda m, z: torch.sigmoid(z) * torch.sigmoid(-z), _always(0.0, 1.0), _always(0.25), _listed("sigmoid")
    ),
    nn.Tanh: ClosedForm(lambda m, z: _sech_squared(z), _always(-1.0, 1.0), _always(1.0), _listed("tanh")),
    nn.ReLU: ClosedForm(lambda m, z: _step(z), _always(0.0, math.inf), _always(1.0), _listed("relu")),
    nn.LeakyReLU: ClosedForm(
        lambda m, z: _rectified(z, m.negative_slope),
        lambda m: _leaky_range(m.negative_slope),
        lambda m: max(1.0, abs(m.negative_slope)),
        lambda m: float(nn.init.calculate_gain("leaky_relu", float(m.negative_slope))),
    ),
    nn.PReLU: ClosedForm(
        _prelu,
        lambda m: _leaky_range(float(m.weight.detach().max())),
        lambda m: max(1.0, float(m.weight.detach().abs().max())),
    ),
    nn.RReLU: ClosedForm(
        lambda m, z: _rectified(z, (m.lower + m.upper) / 2),
        lambda m: _leaky_range((m.lower + m.upper) / 2),
        lambda m: max(1.0, abs(m.lower + m.upper) / 2),
    ),
    nn.ELU: ClosedForm(
        lambda m, z: _rectified(z, m.alpha * torch.exp(z)),
        lambda m: (min(0.0, -m.alpha), math.inf),
        lambda m: max(1.0, abs(m.alpha)),
    ),
    nn.SELU: ClosedForm(
        lambda m, z: SELU_SCALE * _rectified(z, SELU_ALPHA * torch.exp(z)),
        _always(-SELU_SCALE * SELU_ALPHA, math.inf),
        _always(SELU_SCALE * SELU_ALPHA),
        _listed("selu"),
    ),
    nn.CELU: ClosedForm(
        lambda m, z: _rectified(z, torch.exp(z / m.alpha)), lambda m: (-m.alpha, math.inf), _always(1.0)
    ),
    nn.GELU: ClosedForm(_gelu),
    nn.SiLU: ClosedForm(_silu),
    nn.Mish: ClosedForm(_mish),
    nn.Softplus: ClosedForm(_softplus, _always(0.0, math.inf), _always(1.0)),
    nn.Softsign: ClosedForm(lambda m, z: (1 / (1 + z.abs())).square(), _always(-1.0, 1.0), _always(1.0)),
    nn.Hardtanh: ClosedForm(_clipped, lambda m: (m.min_val, m.max_val), _always(1.0)),
    # The lowest value is at -1.5; the largest slope is approached at 3 from below.
    nn.Hardswish: ClosedForm(_hardswish, _always(-0.375, math.inf), _always(1.5)),
    nn.ReLU6: ClosedForm(_clipped, _always(0.0, 6.0), _always(1.0)),
}
