"""The Conv-Norm-Act stack: one resolution and one width from end to end, so that only depth changes."""

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from gradflow.errors import ConfigError, check_whole
from gradflow.models.blocks import ActivationFactory, Block, ConvBlock, image_channels
from gradflow.models.layers import Layer, named_layers


class ConvStack(nn.Module):
    """A stem, `blocks` ConvBlocks, global average pooling, a linear head: (N, C, H, W) to (N, num_outputs).

    Args:
        input_shape: (C, H, W).
        num_outputs: classes, or regression targets.
        activation: called once for the stem and once per block.
        blocks: hidden blocks after the stem, at least 1.
        width: channels of the stem and of each block.
        norm: batch, layer (over channels and positions), group or none, between Conv and activation.
        kernel_size: odd, so that same padding is symmetric.
        bias: whether the Conv layers have one; the head always does.
        dropout: probability, after each activation.
        residual: adds each block's input to its output; the stem has no skip.

    Raises:
        ConfigError: if the input is not an image, or a size makes no sense.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        num_outputs: int,
        activation: ActivationFactory,
        *,
        blocks: int,
        width: int,
        norm: str = "batch",
        kernel_size: int = 3,
        bias: bool = True,
        dropout: float = 0.0,
        residual: bool = False,
    ) -> None:
        super().__init__()
        channels = image_channels(input_shape, model="conv")
        if isinstance(width, Sequence):
            raise ConfigError(f"width={list(width)}: ConvStack has one width for all blocks, e.g. width=64")
        width = check_whole("width", width, at_least=1)

        def conv(in_channels: int, *, skip: bool) -> ConvBlock:
            return ConvBlock(
                in_channels,
                width,
                activation,
                kernel_size=kernel_size,
                norm=norm,
                bias=bias,
                dropout=dropout,
                residual=skip,
            )

        hidden = [conv(width, skip=residual) for _ in range(check_whole("blocks", blocks, at_least=1))]
        self.stem = conv(channels, skip=False)
        self.blocks = nn.Sequential(*hidden)
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(width, num_outputs)

    @property
    def layers(self) -> list[Layer]:
        """00_stem, 01_block, 02_block, ..., then the head, in forward order."""
        blocks = cast(list[Block], list(self.blocks))
        return named_layers([self.stem, *blocks], self.head, kinds=["stem"] + ["block"] * len(blocks), first=0)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.pool(self.blocks(self.stem(x))))
