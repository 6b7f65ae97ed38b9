"""The residual network for small images: three stages of residual blocks, 6 blocks + 2 layers deep."""

import itertools
from collections.abc import Sequence
from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from gradflow.activations import pieces
from gradflow.activations.replacement import out_of_place
from gradflow.errors import ConfigError, check_whole
from gradflow.models.blocks import ActivationFactory, conv_norm, image_channels
from gradflow.models.layers import Layer, layer_name

SHORTCUTS = IDENTITY, PROJECTION = "identity", "projection"


class ResNet(nn.Module):
    """A 3x3 stem, three stages of `blocks` residual blocks, global average pooling, a linear head.

    (N, C, H, W) to (N, num_outputs). The stages have width / 4, width / 2 and width channels; the second and the third
    begin with stride 2. Stem, 3x3 convolutions and head are 6 blocks + 2 layers: blocks=3, width=64 is ResNet-20.

    Args:
        input_shape: (C, H, W).
        num_outputs: classes, or regression targets.
        activation: called once per 3x3 convolution.
        blocks: residual blocks of each stage, at least 1.
        width: channels of the last stage, a multiple of 4.
        norm: batch, layer, group or none, for every convolution.
        bias: whether the convolutions have one; the head always does.
        shortcut: where a block changes the shape: identity, every second pixel and zeros for the new channels (option
            A of the paper), or projection, a 1x1 convolution (option B).
        preactivation: normalise and activate before each convolution, and leave the sum as it is.

    Raises:
        ConfigError: if the input is not an image, a size makes no sense, or the activation takes several inputs per
            output, as what is added has one width.

    Source: He et al. 2016, arXiv:1512.03385, section 4.2; preactivation: He et al. 2016, arXiv:1603.05027.
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
        bias: bool = False,
        shortcut: str = IDENTITY,
        preactivation: bool = False,
    ) -> None:
        super().__init__()
        channels = image_channels(input_shape, model="resnet")
        blocks = check_whole("blocks", blocks, at_least=1)
        stem, middle, last = _stage_widths(width)
        if shortcut not in SHORTCUTS:
            raise ConfigError(f"model.shortcut={shortcut}: choose one of {', '.join(SHORTCUTS)}")
        self.preactivation = preactivation
        self.stem = nn.Conv2d(channels, stem, 3, padding=1, bias=bias)
        self.norm = conv_norm(norm, last if preactivation else stem)
        self.activation = activation()
        if (takes := pieces(self.activation)) != 1:
            raise ConfigError(f"model=resnet: this activation takes {takes} inputs per output; use model=conv")
        kind = PreactivationBlock if preactivation else PostactivationBlock
        outputs = [stem] * blocks + [middle] * blocks + [last] * blocks
        self.blocks = nn.Sequential(
            *(
                kind(before, after, activation, norm=norm, bias=bias, shortcut=shortcut)
                for before, after in itertools.pairwise([stem, *outputs])
            )
        )
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(last, num_outputs)

    @property
    def layers(self) -> list[Layer]:
        """00_stem, 01_conv, 02_conv, ..., then the head, in forward order; a projection is NN_shortcut."""
        blocks = cast(list[ResidualBlock], list(self.blocks))
        affine: list[tuple[str, nn.Conv2d | nn.Linear]]
        affine = [("stem", self.stem), *(pair for block in blocks for pair in block.affine), ("head", self.head)]
        own = [self.activation]
        inside = [one for block in blocks for one in (block.activation1, block.activation2)]
        activations = iter([*inside, *own] if self.preactivation else [*own, *inside])
        return [
            Layer(layer_name(i, kind, len(affine)), one, next(activations) if kind in ("stem", "conv") else None)
            for i, (kind, one) in enumerate(affine)
        ]

    @staticmethod
    def hidden_weights(blocks: int, width: int) -> int:
        """How many weights the 3x3 convolutions of the blocks have."""
        return 2 * 9 * blocks * (width**2 + (width // 2) ** 2 + (width // 4) ** 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        if self.preactivation:
            return self.head(self.pool(self.activation(self.norm(self.blocks(x)))))
        return self.head(self.pool(self.blocks(self.activation(self.norm(x)))))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions and what their result is added to; where the channels change, the first has stride 2."""

    def __init__(
        self, in_channels: int, channels: int, activation: ActivationFactory, *, norm: str, bias: bool, shortcut: str
    ) -> None:
        super().__init__()
        stride = 1 if in_channels == channels else 2
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=bias)
        self.norm1 = conv_norm(norm, self.normalised(in_channels, channels))
        self.activation1 = activation()
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=bias)
        self.norm2 = conv_norm(norm, channels)
        self.activation2 = activation()
        self.shortcut = _shortcut(shortcut, in_channels, channels, stride=stride, norm=norm, bias=bias)

    def normalised(self, in_channels: int, channels: int) -> int:
        """The channels that the first normalisation sees."""
        raise NotImplementedError

    @property
    def affine(self) -> list[tuple[str, nn.Conv2d]]:
        """Kind and layer, in forward order."""
        projection = [("shortcut", self.shortcut[0])] if isinstance(self.shortcut, nn.Sequential) else []
        return [*cast(list[tuple[str, nn.Conv2d]], projection), ("conv", self.conv1), ("conv", self.conv2)]


class PostactivationBlock(ResidualBlock):
    """The block of 2015: the sum is activated."""

    def normalised(self, in_channels: int, channels: int) -> int:
        return channels

    def forward(self, x: Tensor) -> Tensor:
        change = self.norm2(self.conv2(self.activation1(self.norm1(self.conv1(x)))))
        return self.activation2(change + self.shortcut(x))


class PreactivationBlock(ResidualBlock):
    """The block of 2016, whose sum reaches the next one unchanged; a projection sees the activated input."""

    def __init__(self, *args: int | ActivationFactory, norm: str, bias: bool, shortcut: str) -> None:
        super().__init__(*args, norm=norm, bias=bias, shortcut=shortcut)  # type: ignore[arg-type]
        if norm == "none":
            out_of_place(self.activation1)  # the shortcut needs its input

    def normalised(self, in_channels: int, channels: int) -> int:
        return in_channels

    def forward(self, x: Tensor) -> Tensor:
        activated = self.activation1(self.norm1(x))
        kept = self.shortcut(activated if isinstance(self.shortcut, nn.Sequential) else x)
        return kept + self.conv2(self.activation2(self.norm2(self.conv1(activated))))


class ZeroPadding(nn.Module):
    """Every second pixel, and zeros for the new channels: (N, in, H, W) to (N, out, ceil(H / 2), ceil(W / 2))."""

    def __init__(self, new_channels: int) -> None:
        super().__init__()
        self.new_channels = new_channels

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, self.new_channels))


def _shortcut(kind: str, in_channels: int, channels: int, *, stride: int, norm: str, bias: bool) -> nn.Module:
    if in_channels == channels:
        return nn.Identity()
    if kind == IDENTITY:
        return ZeroPadding(channels - in_channels)
    return nn.Sequential(nn.Conv2d(in_channels, channels, 1, stride, bias=bias), conv_norm(norm, channels))


def _stage_widths(width: int) -> tuple[int, int, int]:
    if isinstance(width, Sequence):
        raise ConfigError(f"width={list(width)}: model=resnet takes one number, that of its last stage, e.g. width=64")
    width = check_whole("width", width, at_least=4)
    if width % 4:
        raise ConfigError(f"width={width}: the stages have a quarter, half and all of it; use a multiple of 4")
    return width // 4, width // 2, width
