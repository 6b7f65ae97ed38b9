"""Every call of an elementwise activation in a network's forward passes: as a module, a function or in place.

Hooks say which module is at work, and a `TorchFunctionMode`, active while one is, sees each operation. What is computed
between two calls of the network, such as a prediction in a validation step, is no part of it.
"""

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import MethodType
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn.modules.loss import _Loss
from torch.overrides import TorchFunctionMode
from torch.utils.hooks import RemovableHandle
from torchmetrics import Metric

from gradflow import activations
from gradflow.measure.axis_calls import Lost, Place
from gradflow.measure.parts import parts_of
from gradflow.measure.unit_axes import UnitAxes
from gradflow.models.layers import Layer, declared_layers

_OF_TORCH = frozenset(activations.FUNCTIONS.values())  # modules that call a function of the same kind
_NO_PART = (Metric, _Loss)  # of a network, though they may be inside a LightningModule
_UNSEEN = (nn.RNNBase, nn.RNNCellBase, torch.jit.ScriptModule)  # compute activations where no mode sees them


class Site(NamedTuple):
    """One call of an activation in a forward pass.

    Attributes:
        path: of the activation module; for a function, the path of the module that calls it, and its name.
        call: how many times that path has been called before in the same forward pass.
    """

    path: str
    call: int


class Listener(Protocol):
    """Hears of every call of an activation, before and after it."""

    def before(self, site: Site, activation: Callable[[], nn.Module], z: Tensor, place: Place | Lost | None) -> None:
        """What goes in: the pre-activation and where its units lie; `activation` makes the function as a module."""

    def after(self, site: Site, a: Tensor) -> None:
        """What comes out; in place it is the same tensor."""


class ActivationSites:
    """While it is entered, a listener hears of every activation in the network.

    Args:
        network: anything; its modules are looked up anew whenever this is entered. A network with a list `layers` of
            `gradflow.models.layers.Layer` says itself what its activations are, elementwise or not: there is no other.
        listener: hears of them.
    """

    def __init__(self, network: nn.Module, listener: Listener) -> None:
        self.network = network
        self.layers: list[Layer] = []  # that the network lists
        self.layer_names: dict[str, list[str]] = {}  # of the listed layers, by the path of their activation
        self.forward_passes = 0
        self._listener = listener
        self._mode = _Mode(self._call)
        self._axes = UnitAxes()
        self._is_activation: weakref.WeakKeyDictionary[nn.Module, bool] = weakref.WeakKeyDictionary()
        self._handles: list[RemovableHandle] = []
        self._paths: dict[nn.Module, str] = {}  # of the modules that are listened to
        self._at_work: list[nn.Module] = []  # the modules that are running, the innermost last
        self._whole: list[tuple[Site, Place | Lost | None] | None] = []  # the activation modules among them
        self._calls: dict[str, int] = {}  # in this forward pass, by path

    def __enter__(self) -> "ActivationSites":
        self.layers, self.layer_names, self.forward_passes = declared_layers(self.network), {}, 0
        paths = {module: path for path, module in parts_of(self.network, without=_NO_PART)}
        for layer in self.layers:
            if layer.activation is not None:
                path = paths.setdefault(layer.activation, layer.name)  # it may stand in a plain list
                self.layer_names.setdefault(path, []).append(layer.name)
        for module, path in paths.items():
            if isinstance(module, torch.jit.ScriptModule):
                continue
            self._paths[module] = path
            if self._is_heard_as_a_whole(module):
                self._hook(module, self._enter_activation, self._leave_activation)
            elif module is self.network:
                # Hooks would not hear of `network.forward(x)`, and would hear of a whole validation step under DDP.
                vars(module)["forward"] = _WatchedForward(module, self._enter, self._leave)
            elif not self.layers:
                self._hook(module, self._enter, self._leave)
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()
        watched = vars(self.network).pop("forward", None)
        if isinstance(watched, _WatchedForward) and watched.own is not None:
            vars(self.network)["forward"] = watched.own
        if self._at_work and not self.layers:  # interrupted
            self._mode.__exit__(None, None, None)
        self._handles, self._paths, self._axes, self._at_work, self._whole = [], {}, UnitAxes(), [], []

    def unseen(self) -> dict[str, str]:
        """The modules whose inner activations nobody sees, and what they are, by path."""
        parts = parts_of(self.network, without=_NO_PART)
        found = {path: module for path, module in parts if isinstance(module, _UNSEEN)}
        outermost = [path for path in found if not any(path.startswith(f"{other}.") for other in found)]
        return {path: type(found[path]).__name__ for path in outermost}

    def _hook(self, module: nn.Module, enter: Callable[..., None], leave: Callable[..., None]) -> None:
        """Listen to this module, and not to a copy of it, which inherits the hooks."""

        def before(called: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            if called in self._paths:
                enter(called, *args, **kwargs)

        def after(called: nn.Module, _: tuple[Any, ...], output: Any) -> None:
            if self._at_work and self._at_work[-1] is called:  # an earlier hook may have failed
                leave(output)

        self._handles += [
            module.register_forward_pre_hook(before, with_kwargs=True),
            module.register_forward_hook(after, always_call=True),
        ]

    def _is_heard_as_a_whole(self, module: nn.Module) -> bool:
        """Whether a module is an activation whose operations do not say so: one that is listed, or somebody's own."""
        if self.layers:
            return any(layer.activation is module for layer in self.layers)
        if module not in self._is_activation:
            self._is_activation[module] = activations.is_activation(module)
        return self._is_activation[module] and type(module) not in _OF_TORCH

    def _enter(self, module: nn.Module, *_: Any, **__: Any) -> None:
        if not self._at_work:
            self.forward_passes += 1
            self._calls.clear()
            if not self.layers:  # which say where their units are
                self._axes.forget_the_dead()
                self._mode.__enter__()
        self._at_work.append(module)

    def _leave(self, output: Any) -> None:
        self._at_work.pop()
        if not self._at_work and not self.layers:
            self._mode.__exit__(None, None, None)

    def _enter_activation(self, module: nn.Module, *args: Any, **kwargs: Any) -> None:
        self._enter(module)
        z = next((one for one in (*args, *kwargs.values()) if isinstance(one, Tensor)), None)
        with self._mode.paused():
            if z is None or not z.is_floating_point() or self._whole:
                self._whole.append(None)
            else:
                self._whole.append(self._announce(self._paths[module], lambda: module, z))

    def _leave_activation(self, output: Any) -> None:
        announced = self._whole.pop()
        if announced is not None and isinstance(output, Tensor):
            with self._mode.paused():
                self._conclude(announced, output)
        self._leave(output)

    def _announce(self, path: str, activation: Callable[[], nn.Module], z: Tensor) -> tuple[Site, Place | Lost | None]:
        site = Site(path, self._calls.get(path, 0))
        self._calls[path] = site.call + 1
        place = self._axes.of(z)
        self._listener.before(site, activation, z, place)
        return site, place

    def _conclude(self, announced: tuple[Site, Place | Lost | None], a: Tensor) -> None:
        site, place = announced
        self._listener.after(site, a)
        self._axes.put(a, place if isinstance(place, Lost) or place is None else Place(place.axis, tuple(a.shape)))

    def _call(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        name = _name(func)
        call = self._axes.before(name, args, kwargs)
        heard = name in activations.FUNCTIONS and not self._whole
        if not heard or not call.tensors or not call.tensors[0].is_floating_point():
            result = func(*args, **kwargs)
            self._axes.after(call, result)
            return result
        inside = self._at_work[-1]
        path = self._paths[inside]
        if type(inside) not in _OF_TORCH:
            path = f"{path}.{name}" if path else name
        announced = self._announce(path, partial(activations.module_of_call, name, args, kwargs), call.tensors[0])
        result = func(*args, **kwargs)
        self._conclude(announced, result)
        return result


class _Mode(TorchFunctionMode):
    """Hands every operation on. Operations that run within one operation are not seen."""

    def __init__(self, call: Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]) -> None:
        super().__init__()
        self._call = call
        self._pauses = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        return func(*args, **(kwargs or {})) if self._pauses else self._call(func, args, kwargs or {})

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Within it, operations are those of the measurement, and not seen."""
        self._pauses += 1
        try:
            yield
        finally:
            self._pauses -= 1


class _WatchedForward:
    """A module's `forward`, with something before and after; a copy of the module has its own `forward`.

    Attributes:
        own: the attribute `forward` that the module itself had, None if it had that of its class.
    """

    def __init__(self, module: nn.Module, enter: Callable[[nn.Module], None], leave: Callable[[Any], None]) -> None:
        self.own: Callable[..., Any] | None = vars(module).get("forward")
        self._module, self._forward, self._enter, self._leave = module, module.forward, enter, leave

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._enter(self._module)
        try:
            return self._forward(*args, **kwargs)
        finally:
            self._leave(None)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return MethodType(type(self._module).forward, memo[id(self._module)])


def _name(func: Callable[..., Any]) -> str:
    """Of an operation, a method or a question for an attribute; the variant that works in place has the same."""
    name = getattr(func, "__name__", "")
    if name == "__get__":
        name = func.__self__.__name__  # type: ignore[attr-defined]
    return name if name.endswith("__") else name.removesuffix("_")
