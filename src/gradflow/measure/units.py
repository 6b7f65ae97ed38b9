"""Which units are dead or dormant, and how many entries have a low slope.

Shape letters: N samples, U units.
"""

import math

import torch
from torch import Tensor, distributed, nn

from gradflow import activations
from gradflow.activations.facts import LOW_SLOPE

DEAD_SLOPE = 1e-6  # of the function's largest slope: at or below it a unit's slope counts as zero
DORMANT_SCORE = 0.025  # Sokar et al. 2023, arXiv:2302.12902
CACHED_ENTRIES = 2**18  # 1 MiB in float32: measured between 2**16 and 2**30


class UnitMeter:
    """One layer's unit statistics, accumulated batch by batch.

    A unit is a neuron (z of shape (N, U)) or a channel (z of shape (N, U, H, W)). Slopes are taken from the
    pre-activation in float32 or wider, whatever precision the network runs in: bfloat16's tanh is flat from z = 4.
    """

    def __init__(self, activation: nn.Module) -> None:
        self.activation = activation
        self.has_slopes = activations.is_elementwise(activation)
        self._largest = activations.largest_slope(activation) if self.has_slopes else math.nan
        self._slope_max_U: Tensor | None = None
        self._abs_sum_U: Tensor | None = None
        self._low: Tensor | int = 0
        self._entries = 0
        self._outputs_a_unit = 0

    def add_preactivation(self, z: Tensor) -> None:
        """Take in pre-activations, shape (N, U) or (N, U, H, W); no effect where the function has no slopes."""
        if not self.has_slopes:
            return
        for part in _parts(z):
            wide = part if part.dtype == torch.float64 else part.float()
            slope = activations.slope(self.activation, wide).abs()
            # Of several processes some may have no sample of a batch.
            slope_max_U = slope.amax(dim=_all_but_units(slope)) if len(slope) else slope.new_zeros(slope.shape[1])
            self._slope_max_U = slope_max_U if self._slope_max_U is None else self._slope_max_U.maximum(slope_max_U)
            self._low = self._low + torch.count_nonzero(slope < LOW_SLOPE * self._largest)
            self._entries += slope.numel()

    def add_output(self, a: Tensor) -> None:
        """Take in activations, shape (N, U) or (N, U, H, W)."""
        for part in _parts(a):
            abs_sum_U = part.abs().sum(dim=_all_but_units(part), dtype=torch.promote_types(part.dtype, torch.float32))
            abs_sum_U = abs_sum_U if part.device.type == "mps" else abs_sum_U.double()
            self._abs_sum_U = abs_sum_U if self._abs_sum_U is None else self._abs_sum_U + abs_sum_U
        self._outputs_a_unit += a.numel() // a.shape[1]

    def pool(self) -> None:
        """Count in what the other processes of a run have seen; every one of them has to call it."""
        seen = [values for values in (self._slope_max_U, self._abs_sum_U) if values is not None]
        if not seen:
            return
        counts = torch.tensor([int(self._low), self._entries, self._outputs_a_unit], device=seen[0].device)
        distributed.all_reduce(counts)
        self._low, self._entries, self._outputs_a_unit = counts.tolist()
        if self._slope_max_U is not None:
            distributed.all_reduce(self._slope_max_U, distributed.ReduceOp.MAX)
        if self._abs_sum_U is not None:
            distributed.all_reduce(self._abs_sum_U)

    def dead(self) -> Tensor:
        """Whether each unit is dead: its slope never exceeds 1e-6 of the largest slope; shape (U,).

        Source: Lu et al. 2019, arXiv:1903.06733, for ReLU; any elementwise function here.
        """
        assert self._slope_max_U is not None, "no pre-activation was added"
        return self._slope_max_U <= DEAD_SLOPE * self._largest

    def low_slope(self) -> tuple[float, int]:
        """How many entries have a slope under 5 % of the largest, and how many entries there were."""
        return float(self._low), self._entries

    def dormant(self) -> Tensor:
        """Whether each unit is dormant: mean abs a over its layer's mean of it at most 0.025; shape (U,).

        In a layer that is all zero every unit is dormant. Source: Sokar et al. 2023, arXiv:2302.12902.
        """
        assert self._abs_sum_U is not None, "no output was added"
        mean_U = self._abs_sum_U / self._outputs_a_unit
        return mean_U <= DORMANT_SCORE * mean_U.mean()


def _parts(values: Tensor) -> tuple[Tensor, ...]:
    """The samples in groups that stay in a CPU's cache from one elementwise operation to the next: ten times faster."""
    if values.device.type != "cpu":
        return (values,)
    return values.split(max(1, CACHED_ENTRIES * len(values) // max(1, values.numel())))


def _all_but_units(values: Tensor) -> list[int]:
    """The axes to reduce so that one number a unit remains."""
    return [axis for axis in range(values.dim()) if axis != 1]
