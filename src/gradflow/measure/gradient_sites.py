"""Where a network's gradient is measured: its modules with weights of an affine map, in the order of execution."""

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.utils.hooks import RemovableHandle
from torchmetrics import Metric

from gradflow.measure.parts import parts_of
from gradflow.models.layers import Layer, layer_name, short_names

AFFINE = (
    *(nn.Linear, nn.Bilinear, nn.Embedding, nn.EmbeddingBag),
    *(nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
    *(nn.MultiheadAttention, nn.RNNBase, nn.RNNCellBase),
)
WEIGHT, BIAS = "weight", "bias"
_NORMALIZATION = (nn.LayerNorm, nn.RMSNorm, nn.GroupNorm)  # whose weights may have several dimensions
_NO_PART = (Metric,)  # of a network, though they may be inside a LightningModule
_NEVER = -1  # when the root was called, which Lightning may do or not


@dataclass(frozen=True)
class GradientSite:
    """A module with weights of an affine map; one layer of a recurrent network.

    Attributes:
        name: the `layer_name` of its place and path, such as "03_layer1.0.conv2", or gradflow's own short name.
        path: of the module, from the network.
        weights: at least one; several in a recurrent layer and in the projections of an attention.
        biases: any number.
        is_head: whether it is the network's last.
        beside: whether it reads the same tensor as the site before it, with weights of the same shape: such sites, an
            attention's query, key and value for example, are one place along the depth.
    """

    name: str
    path: str
    weights: tuple[nn.Parameter, ...]
    biases: tuple[nn.Parameter, ...]
    is_head: bool = False
    beside: bool = False

    @property
    def shapes(self) -> tuple[torch.Size, ...]:
        return tuple(weight.shape for weight in self.weights)


@dataclass
class Order:
    """In which order the modules of a network are executed. Empty if nobody has seen it.

    Attributes:
        called: the paths of the affine modules and of those that contain one, in the order of their first call.
        beside: the paths of affine modules that read the same tensor as the one called before them.
    """

    called: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)


class ExecutionOrder:
    """Notes the order in which modules are called first, by hooks that it removes.

    Each module's hook removes itself when it has been called; `stop` removes the rest. Compiled code calls no hook: its
    modules, like those whose weights another module uses, are put behind what precedes them in their definition.

    Args:
        network: where to listen; a network with short names has an order already.
    """

    def __init__(self, network: nn.Module) -> None:
        self.order = Order()
        self._handles: dict[str, RemovableHandle] = {}
        self._last: tuple[weakref.ref[Tensor], torch.Size] | None = None
        for path, module in () if short_names(network) else _with_affine_parts(network):
            self._handles[path] = module.register_forward_pre_hook(self._hook(path))

    def stop(self) -> None:
        """Listen no longer."""
        for handle in self._handles.values():
            handle.remove()
        self._handles = {}

    def _hook(self, path: str) -> Callable[[nn.Module, tuple[Any, ...]], None]:
        # A function, which deepcopy leaves as it is: averaged weights, for example, are those of a copied network.
        def note(module: nn.Module, inputs: tuple[Any, ...]) -> None:
            if not torch.compiler.is_compiling() and path in self._handles:
                self._note(path, module, inputs)

        return note

    def _note(self, path: str, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        self._handles.pop(path).remove()
        self.order.called.append(path)
        if not _is_affine(module):
            return
        seen = inputs[0] if inputs and isinstance(inputs[0], Tensor) else None
        weights = _own(module, WEIGHT)
        shape = weights[0].shape if weights else torch.Size()
        if seen is not None and self._last is not None and self._last[0]() is seen and self._last[1] == shape:
            self.order.beside.append(path)
        self._last = None if seen is None else (weakref.ref(seen), shape)


def gradient_sites(network: nn.Module, order: Order | None = None) -> list[GradientSite]:
    """The sites of a network, frozen ones included, so that a layer keeps its name when it is frozen or unfrozen.

    Args:
        network: any network.
        order: of execution; None for that of definition.

    Returns:
        In forward order. Weights that several modules share belong to the first of them. gradflow's own networks have
        the sites and the names of their `layers`.
    """
    if short_names(network):
        return _sites_of_layers(network.layers)  # type: ignore[arg-type]
    affine = [(path, module) for path, module in parts_of(network, without=_NO_PART) if _is_affine(module)]
    found = [part for path, module in affine for part in _parts(path, module)]
    order = order or Order()
    times = _times([path for path, _, _ in found], order)
    found.sort(key=lambda part: times[part[0]])  # stable: parts of one time stay in the order of definition
    seen: set[int] = set()
    kept = []
    for path, weights, biases in found:
        own = tuple(weight for weight in weights if id(weight) not in seen)
        seen.update(map(id, own))
        if own:
            kept.append((path, own, tuple(biases)))
    return [
        GradientSite(
            layer_name(place, path or type(network).__name__, len(kept)),
            path,
            weights,
            biases,
            is_head=place == len(kept) - 1,
            beside=path in order.beside,
        )
        for place, (path, weights, biases) in enumerate(kept)
    ]


def _sites_of_layers(layers: Sequence[Layer]) -> list[GradientSite]:
    return [
        GradientSite(
            layer.name,
            layer.name,
            tuple(_own(layer.affine, WEIGHT)),
            tuple(_own(layer.affine, BIAS)),
            is_head=not layer.hidden,
        )
        for layer in layers
    ]


def _is_affine(module: nn.Module) -> bool:
    """Whether a module has weights of an affine map: one of torch's, or a class of somebody's own with a matrix."""
    if isinstance(module, AFFINE):
        return bool(_own(module, WEIGHT))
    weight = module._parameters.get(WEIGHT)
    return weight is not None and weight.dim() > 1 and not isinstance(module, _NORMALIZATION)


def _own(module: nn.Module, kind: str) -> list[nn.Parameter]:
    """A module's own weights or biases; of a parametrized one, such as by weight_norm, what it is computed from."""
    own = [parameter for name, parameter in module.named_parameters(recurse=False) if kind in name]
    if parametrize.is_parametrized(module):
        for name, parts in module.parametrizations.items():  # type: ignore[union-attr, operator]
            own += parts.parameters(recurse=False) if kind in name else ()
    return own


def _parts(path: str, module: nn.Module) -> Iterator[tuple[str, list[nn.Parameter], list[nn.Parameter]]]:
    """Path, weights and biases of a module; those of each layer of a recurrent network of several layers."""
    if not isinstance(module, nn.RNNBase) or module.num_layers == 1:
        yield path, _own(module, WEIGHT), _own(module, BIAS)
        return
    named = list(module.named_parameters(recurse=False))
    for number in range(module.num_layers):
        # torch names them weight_ih_l0, bias_hh_l0_reverse and so on
        layer = [(name, p) for name, p in named if f"{name}_".partition(f"_l{number}_")[1]]
        weights, biases = ([p for name, p in layer if kind in name] for kind in (WEIGHT, BIAS))
        yield _joined(path, f"l{number}"), weights, biases


def _joined(path: str, part: str) -> str:
    return f"{path}.{part}" if path else part


def _with_affine_parts(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """The affine modules and all that contain one, but the network itself."""
    affine = [path for path, module in parts_of(network, without=_NO_PART) if _is_affine(module)]
    for path, module in parts_of(network, without=_NO_PART):
        if path and (path in affine or any(one.startswith(f"{path}.") for one in affine)):
            yield path, module


def _times(paths: Sequence[str], order: Order) -> Mapping[str, int]:
    """When each site was executed, as a place among the calls.

    A site that was not called, because another module uses its weights or its code is compiled, has the time of the
    site defined before it, if the same called module contains both; otherwise that of the module that contains it.
    """
    calls = {path: time for time, path in enumerate(order.called)}
    times: dict[str, int] = {}
    before, before_inside = _NEVER, ""
    for path in paths:
        inside = path
        while inside and inside not in calls:
            inside = inside.rpartition(".")[0]
        time = calls.get(inside, _NEVER)
        if inside != path and (not inside or f"{before_inside}.".startswith(f"{inside}.")):
            time = before
        times[path] = time
        before, before_inside = time, inside
    return times
