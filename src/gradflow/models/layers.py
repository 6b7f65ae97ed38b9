"""What initialisation and measurement see of a network: its Linear and Conv layers, in forward order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    affine: nn.Linear | nn.Conv2d
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


def short_names(network: nn.Module) -> dict[nn.Module, str]:
    """The layer names of a network of this package, by affine layer and by activation; empty for any other network."""
    layers = getattr(network, "layers", None)
    if not isinstance(layers, list) or not all(isinstance(layer, Layer) for layer in layers):
        return {}
    parts = ((part, layer.name) for layer in layers for part in (layer.affine, layer.activation))
    return {part: name for part, name in parts if part is not None}
