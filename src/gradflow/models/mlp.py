"""The multilayer perceptron: any input, flattened, through Linear blocks."""

import math
from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from gradflow.errors import ConfigError, check_whole
from gradflow.models.blocks import ActivationFactory, Block, DenseBlock
from gradflow.models.layers import Layer, named_layers


class MLP(nn.Module):
    """Flatten, `blocks` DenseBlocks, a linear head: (N, *input_shape) to (N, num_outputs).

    Args:
        input_shape: of one sample, without the batch; any length.
        num_outputs: classes, or regression targets.
        activation: called once per block.
        blocks: hidden blocks, at least 1; may be None where `width` lists them.
        width: units of each block, or a list with one number per block.
        norm: batch, layer, group or none, between Linear and activation.
        bias: whether the blocks' Linear layers have one; the head always does.
        dropout: probability, after each activation.
        residual: adds a block's input to its output where the shapes agree.

    Raises:
        ConfigError: if `blocks` and `width` contradict each other, or `residual` is set and no block can have a skip.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        num_outputs: int,
        activation: ActivationFactory,
        *,
        blocks: int | None,
        width: int | Sequence[int],
        norm: str = "none",
        bias: bool = True,
        dropout: float = 0.0,
        residual: bool = False,
    ) -> None:
        super().__init__()
        widths = _widths(blocks, width)
        inputs = [math.prod(input_shape), *widths[:-1]]
        hidden = [
            DenseBlock(n, units, activation, norm=norm, bias=bias, dropout=dropout, residual=residual)
            for n, units in zip(inputs, widths, strict=True)
        ]
        if residual and not any(block.skip for block in hidden):
            raise ConfigError(
                "model.residual=true: no block is as wide as its input, so none can have a skip; "
                "use blocks=2 or more of equal width, or model.residual=false"
            )
        self.flatten = nn.Flatten()
        self.blocks = nn.Sequential(*hidden)
        self.head = nn.Linear(widths[-1], num_outputs)

    @property
    def layers(self) -> list[Layer]:
        """01_block, 02_block, ..., then the head, in forward order."""
        blocks = cast(list[Block], list(self.blocks))
        return named_layers(blocks, self.head, kinds=["block"] * len(blocks), first=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.flatten(x)))


def _widths(blocks: int | None, width: int | Sequence[int]) -> list[int]:
    if isinstance(width, int) or not isinstance(width, Sequence) or isinstance(width, str):
        return [check_whole("width", width, at_least=1)] * check_whole("blocks", blocks, at_least=1)
    widths = [check_whole("width", units, at_least=1, example="[64,32]") for units in width]
    if not widths:
        raise ConfigError("width=[]: a network needs at least one block, e.g. width=[64,32]")
    if blocks is not None and blocks != len(widths):
        raise ConfigError(
            f"blocks={blocks}: width={widths} lists {len(widths)} blocks; use blocks={len(widths)} or blocks=null"
        )
    return widths
