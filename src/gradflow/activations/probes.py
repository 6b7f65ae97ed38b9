"""What probing an activation reveals, in float64: slope, range, moments, monotonicity, locality.

Grids have G points from -reach to reach, denser near 0; `spread` lays them out for modules with parameters per unit.
"""

import math

import torch
from torch import Tensor, nn

from gradflow.activations.slopes import autograd_slope, evaluate, own_slope, slope

REACH = 50.0  # where slopes are examined
FAR_REACH = 500.0  # still finite for exp in float64
_POINTS = 2**13 + 1  # odd, so that 0 is one of them


def grid(reach: float) -> Tensor:
    """Points from -reach to reach, shape (G,); at reach 50 they are 0.0004 apart near 0 and 0.07 at the ends."""
    return reach * torch.linspace(-6, 6, _POINTS, dtype=torch.float64).sinh() / math.sinh(6)


def spread(activation: nn.Module, z: Tensor) -> Tensor:
    """The values z, shape (G,), once for each unit that has parameters: shape (G, units) or (G, units, 1, 1)."""
    shape = _unit_shape(activation)
    return z.view(-1, *[1] * len(shape)).expand(-1, *shape)


def largest_slope(activation: nn.Module) -> float:
    """The largest finite abs f'(z) on [-50, 50], nan where none is finite."""
    slopes = slope(activation, spread(activation, grid(REACH))).abs()
    finite = slopes[slopes.isfinite()]
    return float(finite.max()) if finite.numel() else math.nan


def where_own_slope_is_wrong(activation: nn.Module) -> str | None:
    """What is wrong with the method `slope` of an activation, in words; None if nothing is, or there is no such method.

    It is compared with automatic differentiation on [-10, 10], at points that are unlikely to be kinks.
    """
    if own_slope(activation) is None:
        return None
    z = spread(activation, torch.linspace(-10, 10, 1000, dtype=torch.float64) + 1e-3 / math.pi)
    exact, own = autograd_slope(activation, z), slope(activation, z)
    if own.shape != z.shape:
        return f"slope(z) has shape {tuple(own.shape)} for z of shape {tuple(z.shape)}; return f'(z), entry by entry"
    error = (own - exact).abs()
    if bool((error <= 1e-5 * exact.abs().max().clamp(min=1e-12)).all()):
        return None
    worst = int(error.nan_to_num(math.inf).argmax())
    at, said, is_ = (float(values.flatten()[worst]) for values in (z, own, exact))
    return f"slope({at:.3g}) is {said:.6g}, but the derivative of forward there is {is_:.6g}"


@torch.no_grad()
def output_range(activation: nn.Module, *, elementwise: bool) -> tuple[float, float]:
    """Smallest and largest output for inputs in [-500, 500]; infinite where they grow by a tenth beyond 50."""
    near, far = (_outputs(activation, reach, elementwise=elementwise) for reach in (REACH, FAR_REACH))
    centre = float(near.median())
    lower, upper = float(far.min()), float(far.max())
    if lower < centre + 1.1 * min(0.0, float(near.min()) - centre) - 1e-9:
        lower = -math.inf
    if upper > centre + 1.1 * max(0.0, float(near.max()) - centre) + 1e-9:
        upper = math.inf
    return lower, upper


@torch.no_grad()
def normal_moments(activation: nn.Module, *, elementwise: bool) -> tuple[float, float]:
    """E[f(z)] and E[f(z)²] for standard normal z, averaged over units.

    By the trapezoidal rule on [-12, 12], to about 1e-6; from a fixed sample of 32,768 entries, to about 1e-2, for
    functions that are not elementwise.
    """
    if not elementwise:
        output = evaluate(activation, _sample(activation).erfinv() * math.sqrt(2))
        return float(output.mean()), float(output.square().mean())
    z = torch.linspace(-12, 12, _POINTS, dtype=torch.float64)
    output = evaluate(activation, spread(activation, z)).flatten(1)
    return _integrate(output.mean(1), z), _integrate(output.square().mean(1), z)


def moments_of_the_largest_normal(count: int) -> tuple[float, float]:
    """E[m] and E[m²] for the largest m of `count` independent standard normals: its density is count φ Φ^(count-1)."""
    z = torch.linspace(-12, 12, _POINTS, dtype=torch.float64)
    weight = count * torch.special.ndtr(z) ** (count - 1)
    return _integrate(weight * z, z), _integrate(weight * z.square(), z)


@torch.no_grad()
def is_monotone(activation: nn.Module) -> bool:
    """Whether f never falls, or never rises, on [-50, 50] for any unit; differences of 1e-12 count as rounding."""
    steps = evaluate(activation, spread(activation, grid(REACH))).diff(dim=0)
    return bool((steps >= -1e-12).all() or (steps <= 1e-12).all())


@torch.no_grad()
def acts_entry_by_entry(activation: nn.Module) -> bool:
    """Whether the output has the input's shape, and changing one entry of a small input changes that one alone."""
    units, *spatial = _unit_shape(activation)
    shape = (3, units if units > 1 else 4, *spatial)
    z = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    before = evaluate(activation, z)
    return before.shape == z.shape and all(_moves_alone(activation, z, before, i) for i in range(min(z.numel(), 24)))


@torch.no_grad()
def is_affine(activation: nn.Module) -> bool:
    """Whether f is a z + b for each unit on [-50, 50]; deviations of 1e-9 of the largest value count as rounding."""
    z = torch.linspace(-REACH, REACH, 401, dtype=torch.float64)
    values = evaluate(activation, spread(activation, z))
    straight = values[:1] + (values[-1:] - values[:1]) * torch.linspace(0, 1, 401, dtype=torch.float64).view(
        -1, *[1] * (values.dim() - 1)
    )
    return torch.allclose(values, straight, rtol=0, atol=1e-9 * float(values.abs().max()))


def _moves_alone(activation: nn.Module, z: Tensor, before: Tensor, entry: int) -> bool:
    """Whether moving one entry far up or down leaves every other entry of the output unchanged."""
    for change in (-5.0, 5.0):
        moved = z.clone()
        moved.view(-1)[entry] += change
        after = evaluate(activation, moved).flatten()
        after[entry] = before.flatten()[entry]
        if not torch.allclose(after, before.flatten(), rtol=1e-9, atol=1e-12, equal_nan=True):
            return False
    return True


def _unit_shape(activation: nn.Module) -> tuple[int, ...]:
    """The smallest shape without batch, (units,) or (units, 1, 1), that fits the activation's own vectors."""
    tensors = [*activation.parameters(), *activation.buffers()]
    units = max((tensor.numel() for tensor in tensors if max(tensor.shape, default=1) == tensor.numel()), default=1)
    spatial = isinstance(activation, nn.Softmax2d) or any(tensor.dim() >= 3 for tensor in tensors)
    return (max(units, 1), 1, 1) if spatial else (max(units, 1),)


def _sample(activation: nn.Module) -> Tensor:
    """Uniform entries in (-1, 1), fixed, in rows of at least 8 units."""
    units, *spatial = _unit_shape(activation)
    row = units if units > 1 else 8
    uniform = torch.rand((2**15 // row, row, *spatial), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return 2 * uniform - 1


def _outputs(activation: nn.Module, reach: float, *, elementwise: bool) -> Tensor:
    """f on the grid, or on a sample for functions that are not elementwise, without the entries that are nan."""
    z = spread(activation, grid(reach)) if elementwise else reach * _sample(activation)
    output = evaluate(activation, z)
    return output[~output.isnan()]


def _integrate(value: Tensor, z: Tensor) -> float:
    """The mean of a function of z under the standard normal density, from its values at z, both shape (G,)."""
    return float(torch.trapezoid(value * torch.exp(-z * z / 2), z)) / math.sqrt(2 * math.pi)
