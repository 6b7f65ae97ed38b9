"""Which units are dead or dormant, and how many entries have a low slope.

A unit is a neuron (values of shape (N, U) or (N, T, U)) or a channel (values of shape (N, U, H, W)). The meters receive
a layer's values batch by batch, with the axis of the units; what several processes have counted is put together by
`pool`.

Shape letters: N samples, T tokens, U units.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from gradflow import activations
from gradflow.activations.facts import LOW_SLOPE

DEAD_SLOPE = 1e-6  # of the function's largest slope: at or below it a unit's slope counts as zero
DORMANT_SCORE = 0.025  # Sokar et al. 2023, arXiv:2302.12902
_EXACT = 2**24  # up to here float32 adds ones without rounding
CACHED_ENTRIES = 2**18  # 1 MiB in float32: measured between 2**16 and 2**30


class Part(NamedTuple):
    """How many (`size`, an int64 scalar) of how many (`of`)."""

    size: Tensor
    of: int


class Slopes(NamedTuple):
    """Dead units among all units, and entries with a low slope among all entries."""

    dead: Part
    low: Part


class SlopeMeter:
    """Slopes of one layer's elementwise activation.

    Slopes are taken from the pre-activation in float32 or wider, whatever precision the network runs in: bfloat16's
    tanh is flat from z = 4.

    Args:
        activation: the function.
        largest: the supremum of abs f'(z), if it is known already.

    Attributes:
        slope_max: each unit's largest abs f'(z), shape (U,), empty before the first batch.
        low: how many entries have a low slope, an int64 scalar.
        entries: how many there are.
    """

    def __init__(self, activation: nn.Module, *, largest: float | None = None) -> None:
        self._activation = activation
        self.largest = activations.largest_slope(activation) if largest is None else largest
        self.slope_max, self.low, self.entries = torch.zeros(0), torch.tensor(0), 0

    @torch.no_grad()
    def update(self, z: Tensor, axis: int = 1) -> None:
        """Add pre-activations of any shape, with the axis of the units: (N, U), (N, U, H, W), (N, T, U) with axis 2."""
        for part, units in _parts(z, axis):
            slope = activations.slope(self._activation, part if part.dtype == torch.float64 else part.float()).abs()
            # A process may have no sample of a batch.
            slope_max_U = _largest(slope, units) if slope.numel() else slope.new_zeros(slope.shape[units])
            self.slope_max = self.slope_max.maximum(slope_max_U) if len(self.slope_max) else slope_max_U
            self.low = _how_many_below(LOW_SLOPE * self.largest, slope) + self.low
            self.entries += slope.numel()

    def dead(self) -> Tensor:
        """Whether each unit is dead: its slope never exceeds 1e-6 of the largest slope; shape (U,).

        Source: Lu et al. 2019, arXiv:1903.06733, for ReLU; any elementwise function here.
        """
        return self.slope_max <= DEAD_SLOPE * self.largest

    def compute(self) -> Slopes:
        """How many units are dead, and how many entries have a slope under 5 % of the largest."""
        return Slopes(_part(self.dead()), Part(self.low, self.entries))

    def state(self) -> dict[str, Any]:
        """What has been counted, for `pool` in another process."""
        return {"slope_max": self.slope_max.cpu(), "low": self.low.cpu(), "entries": self.entries}

    def pool(self, states: Sequence[Mapping[str, Any]]) -> None:
        """Take over what several processes have counted."""
        slopes_U = [state["slope_max"] for state in states if len(state["slope_max"])]
        self.slope_max = torch.stack(slopes_U).amax(0) if slopes_U else torch.zeros(0)
        self.low = torch.stack([state["low"] for state in states]).sum()
        self.entries = sum(state["entries"] for state in states)


class ActivityMeter:
    """Magnitudes of one layer's activations.

    Attributes:
        abs_sum: of each unit, shape (U,), empty before the first batch.
        outputs_per_unit: how many entries a unit has.
    """

    def __init__(self) -> None:
        self.abs_sum, self.outputs_per_unit = torch.zeros(0), 0

    @torch.no_grad()
    def update(self, a: Tensor, axis: int = 1) -> None:
        """Add activations of any shape, with the axis of the units."""
        for part, units in _parts(a, axis):
            abs_sum_U = part.abs().sum(dim=_all_but(units, part), dtype=torch.promote_types(part.dtype, torch.float32))
            abs_sum_U = abs_sum_U if part.device.type == "mps" else abs_sum_U.double()
            self.abs_sum = self.abs_sum + abs_sum_U if len(self.abs_sum) else abs_sum_U
        self.outputs_per_unit += a.numel() // max(1, a.shape[axis])

    def dormant(self) -> Tensor:
        """Whether each unit is dormant: mean abs a over its layer's mean of it at most 0.025; shape (U,).

        In a layer that is all zero every unit is dormant. Source: Sokar et al. 2023, arXiv:2302.12902.
        """
        mean_U = self.abs_sum / self.outputs_per_unit
        return mean_U <= DORMANT_SCORE * mean_U.mean()

    def compute(self) -> Part:
        """How many units are dormant."""
        return _part(self.dormant())

    def state(self) -> dict[str, Any]:
        """What has been counted, for `pool` in another process."""
        return {"abs_sum": self.abs_sum.cpu(), "outputs_per_unit": self.outputs_per_unit}

    def pool(self, states: Sequence[Mapping[str, Any]]) -> None:
        """Take over what several processes have counted."""
        sums_U = [state["abs_sum"] for state in states if len(state["abs_sum"])]
        self.abs_sum = torch.stack(sums_U).sum(0) if sums_U else torch.zeros(0)
        self.outputs_per_unit = sum(state["outputs_per_unit"] for state in states)


def _part(flags_U: Tensor) -> Part:
    return Part(flags_U.count_nonzero(), len(flags_U))


def _parts(values: Tensor, axis: int) -> list[tuple[Tensor, int]]:
    """The samples in groups that fit a CPU's cache across elementwise operations: ten times faster; and their axis."""
    if axis == 0:  # of one sample
        values, axis = values[None], 1
    if values.device.type != "cpu":
        return [(values, axis)]
    parts = values.split(max(1, CACHED_ENTRIES * len(values) // max(1, values.numel())))
    return [(part, axis) for part in parts]


def _how_many_below(limit: float, values: Tensor) -> Tensor:
    """How many entries are under a limit. A CPU counts ones in a fifth of the time that it takes to count truths."""
    if values.device.type != "cpu" or values.numel() > _EXACT:
        return torch.count_nonzero(values < limit)
    return torch.lt(values, limit, out=torch.empty_like(values)).sum().long()


def _largest(values: Tensor, axis: int) -> Tensor:
    """Each unit's largest value. Over the samples first: all axes at once take up to 20 times as long on a CPU."""
    return values.amax(0).amax(_all_but(axis - 1, values[0])) if values.dim() > 2 else values.amax(0)


def _all_but(axis: int, values: Tensor) -> list[int]:
    """The axes to reduce to one number per unit."""
    return [one for one in range(values.dim()) if one != axis]
