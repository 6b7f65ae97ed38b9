"""Another activation function in the places of those that a network was written with."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from gradflow.activations.function_calls import FunctionCall, function_calls
from gradflow.activations.functions import is_activation
from gradflow.activations.maxout import pieces
from gradflow.errors import ConfigError

_GATES = (nn.Sigmoid, nn.Hardsigmoid)
_WITH_FUNCTION = (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)  # their `activation` may be a function
_MOST_NAMED = 3  # functions in a message
_NOTHING = "has no activation module of torch.nn, such as nn.ReLU(), in whose place another one could stand"
_REMEDY = (
    "in whose place another activation cannot stand; write it as a module of its own, such as self.act = nn.ReLU(), or "
    "take the argument `activation`, which makes one"
)


@dataclass(frozen=True)
class Replaced:
    """One place of an activation in a network.

    Attributes:
        path: where it is registered, e.g. `layer1.0.relu`.
        new: what stands there now.
        was_gate: whether Sigmoid or Hardsigmoid stood there.
    """

    path: str
    new: nn.Module
    was_gate: bool


def replace_activations(
    network: nn.Module, factory: Callable[[], nn.Module], *, gates: bool = False, inputs: Any = None
) -> list[str]:
    """Put a new activation into the place of each elementwise activation module of a network, in place.

    Replaced are the elementwise modules of `torch.nn` (ReLU, GELU, Tanh, ...) and those of your own, found by trying
    them, wherever they are registered; and the function that `nn.TransformerEncoderLayer` and its decoder's counterpart
    keep as `activation`. A module that is registered in several places gets one new module for all of them, so what was
    shared stays shared. The new one works in place only where the old one did.

    Sigmoid and Hardsigmoid stay if the network has other activations: there they are gates, as in squeeze-and-
    excitation blocks, or output functions. Functions that a forward pass calls (`F.relu(x)`) cannot be replaced.

    Args:
        network: any network.
        factory: makes an activation that keeps the shape; `torch.nn.Tanh` itself is one.
        gates: replace Sigmoid and Hardsigmoid in every network.
        inputs: a small batch, or a tuple of arguments. The network is run on it once, in evaluation mode, to find
            functions that are called; those that compute what the new activation computes may stay.

    Returns:
        The paths of what was replaced, e.g. `layer1.0.relu`, in the order in which the network registers them.

    Raises:
        ConfigError: if there is nothing to replace, if the new activation does not keep the shape, or if the network,
            run on `inputs`, calls other activation functions, which are named.
    """
    replaced = swap(network, factory, gates=gates)
    if inputs is not None:
        check_functions(network, factory, inputs if isinstance(inputs, tuple) else (inputs,), replaced)
    elif not replaced:
        raise ConfigError(f"{type(network).__name__}: {_NOTHING}")
    return [one.path for one in replaced]


def swap(network: nn.Module, factory: Callable[[], nn.Module], *, gates: bool = False) -> list[Replaced]:
    """As `replace_activations`, without looking for functions; empty if there is nothing to replace."""
    places = list(_places(network))
    if not gates and not all(isinstance(old, _GATES) for _, old in places):
        places = [(path, old) for path, old in places if not isinstance(old, _GATES)]
    made: dict[int, nn.Module] = {}
    replaced = []
    for path, old in places:
        shared = made.get(id(old)) if isinstance(old, nn.Module) else None
        new = made[id(old)] = shared or _made_for(old, factory, network)
        _put(network, path, new)
        replaced.append(Replaced(path, new, isinstance(old, _GATES)))
    return replaced


def check_functions(
    network: nn.Module, factory: Callable[[], nn.Module], inputs: tuple[Any, ...], replaced: Sequence[Replaced]
) -> None:
    """Refuse a network whose activations have not all been replaced.

    Args:
        network: after `swap`.
        factory: makes the new activation.
        inputs: the arguments of the network's forward.
        replaced: what `swap` returned.

    Raises:
        ConfigError: naming the functions that a forward pass calls, other than gates and those that compute what the
            new activation computes; or saying that the network has no activation at all.
    """
    calls = function_calls(network, inputs, new=factory(), known=[one.new for one in replaced])
    others = [one for one in calls if not one.is_gate]
    only_gates = bool(replaced) and all(one.was_gate for one in replaced)
    activations = others if others or (replaced and not only_gates) else calls
    # Where a function is the activation, the only modules were gates after all, and should not have been replaced.
    left = [one for one in activations if not one.like_new or (only_gates and others)]
    if left:
        raise ConfigError(f"{type(network).__name__}: calls {_named(left)} as a function, {_REMEDY}")
    if not replaced and not calls:
        raise ConfigError(f"{type(network).__name__}: {_NOTHING}, nor does it call one as a function")


def out_of_place(activation: nn.Module) -> nn.Module:
    """The activation itself, which from now on leaves its input as it is."""
    if hasattr(activation, "inplace"):
        activation.inplace = False  # type: ignore[assignment]
    return activation


def _named(calls: list[FunctionCall]) -> str:
    names = list(dict.fromkeys(map(str, calls)))
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def _places(network: nn.Module) -> Iterator[tuple[str, Any]]:
    """Every activation with its path: a module, or the function that a transformer's layer keeps."""
    for path, module in network.named_modules(remove_duplicate=False):
        if is_activation(module):
            if not path:
                raise ConfigError(f"{type(module).__name__}: is an activation itself, not a network that has some")
            yield path, module
        elif isinstance(module, _WITH_FUNCTION) and not isinstance(module.activation, nn.Module):
            yield f"{path}.activation".removeprefix("."), module.activation


def _made_for(old: Any, factory: Callable[[], nn.Module], network: nn.Module) -> nn.Module:
    """A new activation where the network's weights are, that works in place only if the old one did."""
    new = factory()
    if pieces(new) != 1:
        raise ConfigError(
            f"{type(new).__name__}: takes {pieces(new)} inputs per output, so it cannot stand in the place of another "
            "activation; use a network that takes the argument `activation`"
        )
    new = new if getattr(old, "inplace", False) else out_of_place(new)
    weight = next((p for p in network.parameters() if p.is_floating_point()), torch.empty(0))
    return new.to(device=weight.device, dtype=weight.dtype).train(getattr(old, "training", network.training))


def _put(network: nn.Module, path: str, new: nn.Module) -> None:
    above, _, name = path.rpartition(".")
    parent = network.get_submodule(above)
    setattr(parent, name, new)
    if isinstance(parent, nn.TransformerEncoderLayer):
        parent.activation_relu_or_gelu = 0  # otherwise its fast path computes the old function in evaluation
