"""What initialisation and measurement see of a network: its Linear and Conv layers, in forward order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import nn

if TYPE_CHECKING:
    from gradflow.models.blocks import Block


@dataclass(frozen=True)
class Layer:
    """One Linear or Conv layer, as initialisation and measurement see it.

    Attributes:
        name: its `layer_name`, e.g. "01_block"; sorting by name sorts by depth.
        affine: the layer itself.
        activation: the module whose input is the layer's pre-activation; None for the head.
    """

    name: str
    affine: nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d
    activation: nn.Module | None

    @property
    def hidden(self) -> bool:
        """Whether an activation follows, as it does everywhere except at the head."""
        return self.activation is not None


def layer_name(index: int, kind: str, total: int) -> str:
    """The name of a layer, such as "01_block".

    Args:
        index: its place along the forward path.
        kind: stem, block, conv, linear or head.
        total: how many layers the network has, the head included; from 100 layers up, names get a third digit.
    """
    return f"{index:0{max(2, len(str(total)))}d}_{kind}"


def named_layers(blocks: Sequence["Block"], head: nn.Linear, *, kinds: Sequence[str], first: int) -> list[Layer]:
    """The layers of a network in forward order: one per block, numbered from `first`, then the head."""
    total = len(blocks) + 1
    hidden = [
        Layer(layer_name(first + i, kind, total), block.affine, block.activation)
        for i, (block, kind) in enumerate(zip(blocks, kinds, strict=True))
    ]
    return [*hidden, Layer(layer_name(first + len(blocks), "head", total), head, None)]


def declared_layers(network: nn.Module) -> list[Layer]:
    """The layers of a network that has them as its `layers`; empty for any other network."""
    layers: Any = getattr(network, "layers", None)
    is_ours = isinstance(layers, list) and all(isinstance(layer, Layer) for layer in layers)
    return layers if is_ours else []


def activations_in(network: nn.Module, kind: type[nn.Module]) -> list[nn.Module]:
    """The modules of the swept activation: those of the network's layers, or else all of its class."""
    if layers := declared_layers(network):
        return [layer.activation for layer in layers if layer.activation is not None]
    return [module for module in network.modules() if type(module) is kind]


def short_names(network: nn.Module) -> dict[nn.Module, str]:
    """The layer names of a network of this package, by affine layer and by activation; empty for any other network."""
    parts = ((part, layer.name) for layer in declared_layers(network) for part in (layer.affine, layer.activation))
    return {part: name for part, name in parts if part is not None}
