"""Activations that a forward pass calls as functions, such as `F.relu(x)`: no module stands for them."""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from gradflow.activations.functions import FUNCTIONS, module_of_call

_GATES = (nn.Sigmoid, nn.Hardsigmoid)


@dataclass(frozen=True)
class FunctionCall:
    """One call.

    Attributes:
        name: of the function, e.g. `relu`.
        path: of the module in whose forward it is called; empty for the network itself.
        caller: the class of that module.
        like_new: whether it is the function that the new activation is.
    """

    name: str
    path: str
    caller: str
    like_new: bool

    @property
    def is_gate(self) -> bool:
        """Whether it has the form of a gate."""
        return FUNCTIONS[self.name] in _GATES

    def __str__(self) -> str:
        return f"{self.name} in {self.path or 'its forward'} ({self.caller})"


@torch.no_grad()
def function_calls(
    network: nn.Module, inputs: Sequence[Any], *, new: nn.Module, known: Collection[nn.Module] = ()
) -> list[FunctionCall]:
    """The calls of elementwise activation functions in one forward pass, in evaluation mode, in their order.

    Args:
        network: any network; left in the mode that it was in.
        inputs: the arguments of its forward.
        new: an activation with which each call is compared.
        known: modules that are activations themselves, whose own calls do not count.

    Raises:
        Exception: whatever the forward pass raises.
    """
    modes = {module: module.training for module in network.modules()}
    inside: list[tuple[str, nn.Module]] = []
    handles = []
    for path, module in network.named_modules():
        handles.append(module.register_forward_pre_hook(_entering(inside, path)))
        handles.append(module.register_forward_hook(lambda *_: inside.pop() and None, always_call=True))
    found = _Calls(inside, new.eval(), {id(module) for module in known})
    fast_path = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # it computes whole encoder layers without calling anything
    try:
        with found:
            network.eval()(*inputs)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)
        for handle in handles:
            handle.remove()
        for module, training in modes.items():
            module.training = training
    return found.calls


def _entering(inside: list[tuple[str, nn.Module]], path: str) -> Callable[[nn.Module, Any], None]:
    def enter(module: nn.Module, _: Any) -> None:
        inside.append((path, module))

    return enter


class _Calls(TorchFunctionMode):
    """Sees every function that is called on a tensor, but not what these call in turn."""

    def __init__(self, inside: Sequence[tuple[str, nn.Module]], new: nn.Module, known: Collection[int]) -> None:
        super().__init__()
        self.calls: list[FunctionCall] = []
        self._inside, self._new, self._known = inside, new, known

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "").removesuffix("_")
        if name not in FUNCTIONS or any(id(module) in self._known for _, module in self._inside):
            return func(*args, **(kwargs or {}))
        path, module = self._inside[-1]
        same = _are_alike(module_of_call(name, args, kwargs or {}), self._new)
        self.calls.append(FunctionCall(name, path, type(module).__name__, same))
        return func(*args, **(kwargs or {}))


def _are_alike(one: nn.Module, other: nn.Module) -> bool:
    """Whether two activations compute the same, in evaluation mode."""
    z = torch.linspace(-8, 8, 161)[:, None]
    with suppress(RuntimeError):  # one that has parameters per unit
        return torch.allclose(one.eval()(z.clone()), other(z.clone()), rtol=1e-4, atol=1e-6)
    return False
