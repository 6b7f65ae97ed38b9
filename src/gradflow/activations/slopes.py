"""The derivative f'(z) of any elementwise activation.

Everything here leaves the module as it was: no hook fires, no buffer, gradient, training flag or random state changes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from gradflow.activations.closed_forms import CLOSED_FORMS


def slope(activation: nn.Module, z: Tensor) -> Tensor:
    """The derivative f'(z) of an elementwise activation, as in evaluation mode.

    The functions of torch.nn have closed forms that stay accurate in float32 far into the tails, where autograd's
    1 - tanh(z)² is already 0. Your own class can provide one as its method `slope(z)`. Any other module goes through
    autograd. At kinks the value is torch autograd's: 0 at 0 for ReLU. Softplus is linear past its threshold, so its
    slope there is 1.

    Args:
        activation: its class is looked up exactly, since a subclass may have a different forward.
        z: pre-activations, any shape, floating point; units are on dimension 1.

    Returns:
        f'(z), shape and dtype of z, without a graph.

    Raises:
        ValueError: if the activation is not elementwise, as far as its output's shape shows.
    """
    known = CLOSED_FORMS.get(type(activation))
    formula = own_slope(activation) if known is None else known.slope
    if formula is None:
        return autograd_slope(activation, z)
    with torch.no_grad():
        return formula(activation, z.detach())


def own_slope(activation: nn.Module) -> Callable[[Any, Tensor], Tensor] | None:
    """The method `slope` that the activation's own class defines, not a base class; None if there is none."""
    method = vars(type(activation)).get("slope")
    return method if callable(method) else None


def evaluate(activation: nn.Module, z: Tensor) -> Tensor:
    """f(z) in evaluation mode, without side effects on hooks, z, buffers, flags or the random state.

    Args:
        activation: parameters and buffers are cast to the dtype and device of z for this call.
        z: pre-activations; the result is differentiable if z requires a gradient and gradients are on.
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
    """Calls only `forward`: no hook of the activation fires, yet `functional_call` can replace its tensors."""

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
    """The derivative f'(z) by automatic differentiation, even where there is a closed form; otherwise as `slope`."""
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
