"""What is measured: gradients and unit activities in, numbers out.

Nothing here knows about Lightning, epochs or files; the callbacks say when. Shape letters: T tensors, L layers,
S steps, N samples, U units.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, distributed, nn

from gradflow import activations
from gradflow.activations.facts import LOW_SLOPE

DEAD_SLOPE = 1e-6  # of the function's largest slope: at or below it a unit's slope counts as zero
DORMANT_SCORE = 0.025  # Sokar et al. 2023, arXiv:2302.12902
FLOAT32_TERMS = 2**20  # torch sums a norm in float32 one by one: 2e-6 off for 2e5 terms, 4e-4 for 1e7 (measured)
CACHED_ENTRIES = 2**18  # 1 MiB in float32: measured between 2**16 and 2**30
FLOAT32_NORMS = 1e-12, 1e18  # between these no square that matters underflows, and none overflows


def gradient_norms(gradients: Sequence[Tensor]) -> Tensor:
    """Euclidean norm of each tensor, shape (T,), with a relative error under 1e-5 and without underflow.

    Squares of gradients under 1e-23 vanish in float32, so the sum runs in float64; on devices that have none (Apple's
    MPS) every tensor is first divided by its largest magnitude. On a CPU float32 is three times faster, and used where
    the norm itself shows that nothing was lost.
    """
    device = gradients[0].device.type
    if device == "mps":
        return _scaled_norms(gradients)
    if device == "cpu" and all(gradient.numel() <= FLOAT32_TERMS for gradient in gradients):
        return _norms_on_cpu(gradients)
    return torch.stack(torch._foreach_norm(list(gradients), 2, dtype=torch.float64))


def _norms_on_cpu(gradients: Sequence[Tensor]) -> Tensor:
    norms_T = torch.stack(torch._foreach_norm(list(gradients), 2)).double()
    low, high = FLOAT32_NORMS
    doubtful = [i for i, norm in enumerate(norms_T.tolist()) if not low < norm < high]
    if doubtful:
        wide = torch._foreach_norm([gradients[i] for i in doubtful], 2, dtype=torch.float64)
        norms_T[doubtful] = torch.stack(wide)
    return norms_T


def _scaled_norms(gradients: Sequence[Tensor]) -> Tensor:
    largest = torch.stack([gradient.abs().amax() for gradient in gradients])
    safe = torch.where(largest > 0, largest, torch.ones_like(largest))
    scaled = torch._foreach_div(list(gradients), list(safe.unbind()))
    return torch.stack(torch._foreach_norm(scaled, 2)) * largest


def gradient_abs_sums(gradients: Sequence[Tensor]) -> Tensor:
    """Sum of the absolute values of each tensor, shape (T,)."""
    if gradients[0].device.type == "cpu":  # torch's 1-norm is not vectorised there: two passes take half its time
        return torch.stack([gradient.abs().sum() for gradient in gradients])
    return torch.stack(torch._foreach_norm(list(gradients), 1))


def decades_per_layer(rms_SL: np.ndarray) -> np.ndarray:
    """How many powers of ten the gradient loses per layer on its way to the input.

    Args:
        rms_SL: root mean square of the weight gradient of each hidden layer in forward order, shape (S, L), L >= 2.

    Returns:
        Least-squares slope of log10 rms on the layer's index, shape (S,): positive where the gradient shrinks towards
        the input. Not finite where some layer's gradient is zero.
    """
    layers = rms_SL.shape[-1]
    index_L = np.arange(layers) - (layers - 1) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return (np.log10(rms_SL) * index_L).sum(-1) / np.square(index_L).sum()


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
