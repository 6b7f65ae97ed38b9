"""The derivative f'(z) of any elementwise activation.

Everything here leaves the module as it was: no hook fires, no buffer, gradient, training flag or random state changes.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

SELU_ALPHA = 1.6732632423543772  # Klambauer et al. 2017, arXiv:1706.02515, equation 14
SELU_SCALE = 1.0507009873554805


def slope(activation: nn.Module, z: Tensor) -> Tensor:
    """The derivative f'(z) of an elementwise activation, as in evaluation mode.

    The functions of torch.nn have closed forms that stay accurate in float32 far into the tails, where autograd's
    1 - tanh(z)² is already 0. A class of one's own may have one as its method `slope(z)`. Any other module goes through
    autograd. At kinks the value is torch autograd's: 0 at 0
    for ReLU. Softplus is linear past its threshold, so its slope there is 1.

    Args:
        activation: its class is looked up exactly, since a subclass may have another forward.
        z: pre-activations, any shape, floating point; units are on dimension 1.

    Returns:
        f'(z), shape and dtype of z, without a graph.

    Raises:
        ValueError: if the activation is not elementwise, as far as its output's shape shows it.
    """
    closed_form = CLOSED_FORMS.get(type(activation)) or own_slope(activation)
    if closed_form is None:
        return autograd_slope(activation, z)
    with torch.no_grad():
        return closed_form(activation, z.detach())


def own_slope(activation: nn.Module) -> Callable[[Any, Tensor], Tensor] | None:
    """The method `slope` that the activation's very class defines; None without one."""
    method = vars(type(activation)).get("slope")
    return method if callable(method) else None


def evaluate(activation: nn.Module, z: Tensor) -> Tensor:
    """f(z) in evaluation mode, without a trace: hooks stay quiet, z, buffers, flags and random state keep their values.

    Args:
        activation: parameters and buffers are cast to the dtype and device of z for this call.
        z: pre-activations; differentiable if it requires a gradient and gradients are on.
    """
    state = {f"activation.{name}": value.detach().to(z) for name, value in activation.named_parameters()}
    for name, buffer in activation.named_buffers():
        state[f"activation.{name}"] = (
            buffer.detach().clone().to(z.device, z.dtype if buffer.is_floating_point() else None)
        )
    devices = [z.device] if z.is_cuda else []
    with _evaluation_mode(activation), torch.random.fork_rng(devices=devices):
        return functional_call(_Bare(activation), state, (z.clone(),))  # a clone, for activations that work in place


class _Bare(nn.Module):
    """Calls `forward` alone: the activation's hooks stay quiet, yet `functional_call` can replace its tensors."""

    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.activation = activation

    def forward(self, z: Tensor) -> Tensor:
        return self.activation.forward(z)


@contextmanager
def _evaluation_mode(module: nn.Module) -> Iterator[None]:
    training = [part for part in module.modules() if part.training]
    for part in training:
        part.training = False
    try:
        yield
    finally:
        for part in training:
            part.training = True


def autograd_slope(activation: nn.Module, z: Tensor) -> Tensor:
    """The derivative f'(z) by automatic differentiation, whatever closed form there is; as `slope` otherwise."""
    with torch.inference_mode(False), torch.enable_grad():  # Lightning validates under inference mode
        leaf = z.clone().detach().requires_grad_()
        output = evaluate(activation, leaf)
        if output.shape != leaf.shape:
            raise ValueError(
                f"{type(activation).__name__} is not elementwise: {tuple(z.shape)} to {tuple(output.shape)}"
            )
        if not output.requires_grad:  # a step function, or a constant
            return torch.zeros_like(leaf)
        return torch.autograd.grad(output.sum(), leaf, materialize_grads=True)[0]


# Closed forms. z has any shape; m is the module.


def _rectified(z: Tensor, below: Tensor | float) -> Tensor:
    """1 above zero, `below` at and under zero."""
    return torch.where(z > 0, z.new_ones(()), torch.as_tensor(below, dtype=z.dtype, device=z.device))


def _bounded(z: Tensor) -> Tensor:
    """z where the slope still varies: at 1e3 the products below have reached their limits, and inf * 0 would be nan."""
    return z.clamp(-1e3, 1e3)


def _sech_squared(z: Tensor) -> Tensor:
    return 4 * torch.sigmoid(2 * z) * torch.sigmoid(-2 * z)  # 1 - tanh² cancels to 0 from |z| = 9 on in float32


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


CLOSED_FORMS: dict[type[nn.Module], Callable[[Any, Tensor], Tensor]] = {
    nn.Identity: lambda m, z: torch.ones_like(z),
    nn.Sigmoid: lambda m, z: torch.sigmoid(z) * torch.sigmoid(-z),
    nn.Tanh: lambda m, z: _sech_squared(z),
    nn.ReLU: lambda m, z: (z > 0).to(z.dtype),
    nn.LeakyReLU: lambda m, z: _rectified(z, m.negative_slope),
    nn.PReLU: _prelu,
    nn.RReLU: lambda m, z: _rectified(z, (m.lower + m.upper) / 2),
    nn.ELU: lambda m, z: _rectified(z, m.alpha * torch.exp(z)),
    nn.SELU: lambda m, z: SELU_SCALE * _rectified(z, SELU_ALPHA * torch.exp(z)),
    nn.CELU: lambda m, z: _rectified(z, torch.exp(z / m.alpha)),
    nn.GELU: _gelu,
    nn.SiLU: _silu,
    nn.Mish: _mish,
    nn.Softplus: _softplus,
    nn.Softsign: lambda m, z: (1 / (1 + z.abs())).square(),
    nn.Hardtanh: _clipped,
    nn.Hardswish: _hardswish,
    nn.ReLU6: _clipped,
}
