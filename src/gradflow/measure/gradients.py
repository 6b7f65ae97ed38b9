"""Norms and absolute sums of gradients. Shape letter: T tensors."""

from collections.abc import Sequence

import torch
from torch import Tensor

FLOAT32_TERMS = 2**20  # torch sums a norm in float32 one by one: 2e-6 off for 2e5 terms, 4e-4 for 1e7 (measured)
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
    return _norms(gradients, dtype=torch.float64)


def _norms(tensors: Sequence[Tensor], *, order: int = 2, dtype: torch.dtype | None = None) -> Tensor:
    """Norm of each tensor, shape (T,)."""
    # The one private name of another package that gradflow uses: on a GPU a few kernels for all tensors, where a loop
    # over `torch.linalg.vector_norm`, as fast on a CPU, starts one or more per tensor. The public function on top of
    # it, `torch.nn.utils.get_total_norm`, returns only the norm of all tensors together.
    return torch.stack(torch._foreach_norm(list(tensors), order, dtype=dtype))


def _norms_on_cpu(gradients: Sequence[Tensor]) -> Tensor:
    norms_T = _norms(gradients).double()
    low, high = FLOAT32_NORMS
    doubtful = [i for i, norm in enumerate(norms_T.tolist()) if not low < norm < high]
    if doubtful:
        norms_T[doubtful] = _norms([gradients[i] for i in doubtful], dtype=torch.float64)
    return norms_T


def _scaled_norms(gradients: Sequence[Tensor]) -> Tensor:
    largest = torch.stack([gradient.abs().amax() for gradient in gradients])
    safe = torch.where(largest > 0, largest, torch.ones_like(largest))
    return _norms([gradient / scale for gradient, scale in zip(gradients, safe, strict=True)]) * largest


def gradient_abs_sums(gradients: Sequence[Tensor]) -> Tensor:
    """Sum of the absolute values of each tensor, shape (T,)."""
    if gradients[0].device.type == "cpu":  # torch's 1-norm is not vectorised there: two passes take half its time
        return torch.stack([gradient.abs().sum() for gradient in gradients])
    return _norms(gradients, order=1)
