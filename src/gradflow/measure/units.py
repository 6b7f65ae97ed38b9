"""Which units are dead or dormant, and how many entries have a low slope.

A unit is a neuron (values of shape (N, U) or (N, T, U)) or a channel (values of shape (N, U, H, W)). The meters receive
a layer's values batch by batch, with the axis of the units; `compute` counts over all processes that train the run, and
every one of them must call it.

Shape letters: N samples, T tokens, U units.
"""

import functools
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torchmetrics import Metric

from gradflow import activations
from gradflow.activations.facts import LOW_SLOPE

DEAD_SLOPE = 1e-6  # of the function's largest slope: at or below it a unit's slope counts as zero
DORMANT_SCORE = 0.025  # Sokar et al. 2023, arXiv:2302.12902
CACHED_ENTRIES = 2**18  # 1 MiB in float32: measured between 2**16 and 2**30


class Part(NamedTuple):
    """How many (`size`) of how many (`of`), int64 scalars."""

    size: Tensor
    of: Tensor


class Slopes(NamedTuple):
    """Dead units among all units, and entries with a low slope among all entries."""

    dead: Part
    low: Part


class SlopeMeter(Metric):
    """Slopes of one layer's elementwise activation.

    Slopes are taken from the pre-activation in float32 or wider, whatever precision the network runs in: bfloat16's
    tanh is flat from z = 4.

    Args:
        activation: the function.
        largest: the supremum of abs f'(z), if it is known already.
        options: of torchmetrics.
    """

    full_state_update = False
    slope_max: Tensor
    low: Tensor
    entries: Tensor

    def __init__(self, activation: nn.Module, *, largest: float | None = None, **options: Any) -> None:
        super().__init__(**options)
        # As an attribute, the module would become a part of this metric and move with it.
        self._slope = functools.partial(activations.slope, activation)
        self.largest = activations.largest_slope(activation) if largest is None else largest
        self.add_state("slope_max", torch.zeros(0), "max")  # (U,) from the first batch on
        self.add_state("low", torch.tensor(0), "sum")
        self.add_state("entries", torch.tensor(0), "sum")

    def update(self, z: Tensor, axis: int = 1) -> None:
        """Add pre-activations of any shape, with the axis of the units: (N, U), (N, U, H, W), (N, T, U) with axis 2."""
        for part, units in _parts(z, axis):
            slope = self._slope(part if part.dtype == torch.float64 else part.float()).abs()
            # A process may have no sample of a batch.
            some = slope.numel() > 0
            slope_max_U = slope.amax(dim=_all_but(units, slope)) if some else slope.new_zeros(slope.shape[units])
            self.slope_max = self.slope_max.maximum(slope_max_U) if len(self.slope_max) else slope_max_U
            self.low = self.low + torch.count_nonzero(slope < LOW_SLOPE * self.largest)
            self.entries = self.entries + slope.numel()

    def dead(self) -> Tensor:
        """Whether each unit is dead: its slope never exceeds 1e-6 of the largest slope; shape (U,).

        Source: Lu et al. 2019, arXiv:1903.06733, for ReLU; any elementwise function here.
        """
        return self.slope_max <= DEAD_SLOPE * self.largest

    def compute(self) -> Slopes:
        """How many units are dead, and how many entries have a slope under 5 % of the largest."""
        return Slopes(_part(self.dead()), Part(self.low, self.entries))


class ActivityMeter(Metric):
    """Magnitudes of one layer's activations."""

    full_state_update = False
    abs_sum: Tensor
    outputs_per_unit: Tensor

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.add_state("abs_sum", torch.zeros(0), "sum")  # (U,) from the first batch on
        self.add_state("outputs_per_unit", torch.tensor(0), "sum")

    def update(self, a: Tensor, axis: int = 1) -> None:
        """Add activations of any shape, with the axis of the units."""
        for part, units in _parts(a, axis):
            abs_sum_U = part.abs().sum(dim=_all_but(units, part), dtype=torch.promote_types(part.dtype, torch.float32))
            abs_sum_U = abs_sum_U if part.device.type == "mps" else abs_sum_U.double()
            self.abs_sum = self.abs_sum + abs_sum_U if len(self.abs_sum) else abs_sum_U
        self.outputs_per_unit = self.outputs_per_unit + a.numel() // max(1, a.shape[axis])

    def dormant(self) -> Tensor:
        """Whether each unit is dormant: mean abs a over its layer's mean of it at most 0.025; shape (U,).

        In a layer that is all zero every unit is dormant. Source: Sokar et al. 2023, arXiv:2302.12902.
        """
        mean_U = self.abs_sum / self.outputs_per_unit
        return mean_U <= DORMANT_SCORE * mean_U.mean()

    def compute(self) -> Part:
        """How many units are dormant."""
        return _part(self.dormant())


def _part(flags_U: Tensor) -> Part:
    return Part(flags_U.count_nonzero(), torch.tensor(len(flags_U)))


def _parts(values: Tensor, axis: int) -> list[tuple[Tensor, int]]:
    """The samples in groups that fit a CPU's cache across elementwise operations: ten times faster; and their axis."""
    if axis == 0:  # of one sample
        values, axis = values[None], 1
    if values.device.type != "cpu":
        return [(values, axis)]
    parts = values.split(max(1, CACHED_ENTRIES * len(values) // max(1, values.numel())))
    return [(part, axis) for part in parts]


def _all_but(axis: int, values: Tensor) -> list[int]:
    """The axes to reduce to one number per unit."""
    return [one for one in range(values.dim()) if one != axis]
