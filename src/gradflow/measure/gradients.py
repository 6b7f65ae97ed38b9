"""Norms and absolute sums of gradients. Shape letter: T tensors."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

FLOAT32_TERMS = 2**20  # torch sums a norm in float32 one by one: 2e-6 off for 2e5 terms, 4e-4 for 1e7 (measured)
ROW = 256  # terms of a large tensor summed in float32, the rows then in float64: 1e-7 off, a twelfth of the time
HALF = (torch.bfloat16, torch.float16)
FLOAT32_NORMS = 1e-12, 1e18  # between these no square that matters underflows, and none overflows


def gradient_row(parameters: Sequence[nn.Parameter], *, abs_sums: bool) -> list[Tensor]:
    """What is recorded of the gradients of T parameters at a step: norms (T,) and, if asked for, absolute sums (T,).

    A parameter without a gradient counts as one whose gradient is zero. Nothing waits for a GPU.
    """
    gradients = [_entries(parameter) for parameter in parameters]
    return [gradient_norms(gradients), *([gradient_abs_sums(gradients)] if abs_sums else [])]


def wide_gradient_row(gradients: Sequence[Tensor], *, abs_sums: bool) -> list[Tensor]:
    """The row of T gradients in float64, for a compiler, which sums them without writing float64 copies first."""
    wide = [gradient.double() for gradient in gradients]
    norms_T = torch.stack([one.square().sum() for one in wide]).sqrt()
    return [norms_T, *([torch.stack([one.abs().sum() for one in wide])] if abs_sums else [])]


def _entries(parameter: nn.Parameter) -> Tensor:
    """The entries of the gradient that may differ from zero."""
    gradient = parameter.grad
    if gradient is None:
        return parameter.detach().new_zeros(1)
    return gradient.coalesce().values() if gradient.is_sparse else gradient


def gradient_norms(gradients: Sequence[Tensor]) -> Tensor:
    """Euclidean norm of each tensor, shape (T,), with a relative error under 1e-5 and without underflow.

    Squares of gradients under 1e-23 vanish in float32, so the sum runs in float64; on devices that have none (Apple's
    MPS) every tensor is first divided by its largest magnitude. On a CPU float32 is three to twelve times faster, and
    used where the norm itself shows that nothing was lost.
    """
    device = gradients[0].device
    if any(gradient.device != device for gradient in gradients):  # a network spread over devices by hand
        return torch.stack([gradient_norms([gradient])[0].to(device) for gradient in gradients])
    if device.type == "mps":
        return _scaled_norms(gradients)
    return _norms_on_cpu(gradients) if device.type == "cpu" else _norms(gradients, dtype=torch.float64)


def _norms(tensors: Sequence[Tensor], *, order: int = 2, dtype: torch.dtype | None = None) -> Tensor:
    """Norm of each tensor, shape (T,)."""
    # The one private name of another package that gradflow uses: on a GPU a few kernels for all tensors, where a loop
    # over `torch.linalg.vector_norm`, as fast on a CPU, starts one or more per tensor. The public function on top of
    # it, `torch.nn.utils.get_total_norm`, returns only the norm of all tensors together.
    return torch.stack(torch._foreach_norm(list(tensors), order, dtype=dtype))


def _norms_on_cpu(gradients: Sequence[Tensor]) -> Tensor:
    if any(gradient.numel() > FLOAT32_TERMS for gradient in gradients):
        norms_T = torch.stack([_norm_by_rows(gradient) for gradient in gradients])
    elif any(gradient.dtype in HALF for gradient in gradients):
        norms_T = _norms(gradients, dtype=torch.float32).double()
    else:
        norms_T = _norms(gradients).double()
    low, high = FLOAT32_NORMS
    doubtful = [i for i, norm in enumerate(norms_T.tolist()) if not low < norm < high]
    if doubtful:
        norms_T[doubtful] = _norms([gradients[i] for i in doubtful], dtype=torch.float64)
    return norms_T


def _norm_by_rows(gradient: Tensor) -> Tensor:
    """The norm of a tensor of any size, a float64."""
    entries = gradient.float().flatten() if gradient.dtype in HALF else gradient.flatten()
    whole = entries.numel() // ROW * ROW
    rows = torch.linalg.vector_norm(entries[:whole].view(-1, ROW), dim=1)
    rest = torch.linalg.vector_norm(entries[whole:])[None]
    return torch.linalg.vector_norm(torch.cat([rows, rest]).double())


def _scaled_norms(gradients: Sequence[Tensor]) -> Tensor:
    largest = torch.stack([gradient.abs().amax() for gradient in gradients])
    safe = torch.where(largest > 0, largest, torch.ones_like(largest))
    return _norms([gradient / scale for gradient, scale in zip(gradients, safe, strict=True)]) * largest


def gradient_abs_sums(gradients: Sequence[Tensor]) -> Tensor:
    """Sum of the absolute values of each tensor, shape (T,)."""
    device = gradients[0].device
    if device.type == "cpu" or any(gradient.device != device for gradient in gradients):
        # torch's 1-norm is not vectorised on a CPU: two passes take half its time
        return torch.stack([gradient.abs().sum(dtype=_wide(gradient)).to(device) for gradient in gradients])
    wide = torch.float32 if any(gradient.dtype in HALF for gradient in gradients) else None
    return _norms(gradients, order=1, dtype=wide)


def _wide(gradient: Tensor) -> torch.dtype | None:
    """The type in which a sum keeps enough digits; None for the tensor's own."""
    return torch.float32 if gradient.dtype in HALF else None
