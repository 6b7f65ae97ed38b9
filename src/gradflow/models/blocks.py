"""What the networks are made of: a Linear or Conv layer, its normalisation, activation, dropout and skip."""

from collections.abc import Callable, Sequence
from typing import Literal, get_args

from torch import Tensor, nn

from gradflow.activations import pieces
from gradflow.errors import ConfigError

ActivationFactory = Callable[[], nn.Module]  # called once per layer; nn.ReLU itself is one

Norm = Literal["batch", "layer", "group", "none"]
NORMS = get_args(Norm)
_MOST_GROUPS = 8


class Block(nn.Module):
    """Affine layer, normalisation, activation, dropout; a skip adds x to the result.

    For an activation with `pieces`, the affine layer and the normalisation are that many times as wide as the block.
    """

    def __init__(
        self, affine: nn.Linear | nn.Conv2d, *, norm: nn.Module, activation: nn.Module, dropout: float, skip: bool
    ) -> None:
        super().__init__()
        if not 0 <= dropout < 1:
            raise ConfigError(f"model.dropout={dropout}: needs a probability in [0, 1), e.g. model.dropout=0.1")
        self.affine = affine
        self.norm = norm
        self.activation = activation
        self.dropout = nn.Dropout(dropout) if dropout > 0 else nn.Identity()
        self.skip = skip

    def forward(self, x: Tensor) -> Tensor:
        output = self.dropout(self.activation(self.norm(self.affine(x))))
        return x + output if self.skip else output

    def extra_repr(self) -> str:
        return f"skip={self.skip}"


class DenseBlock(Block):
    """A Block around a Linear layer: (N, in_features) to (N, width). It has a skip only if the two are equal."""

    def __init__(
        self,
        in_features: int,
        width: int,
        activation: ActivationFactory,
        *,
        norm: str = "none",
        bias: bool = True,
        dropout: float = 0.0,
        residual: bool = False,
    ) -> None:
        function = activation()
        features = pieces(function) * width
        super().__init__(
            nn.Linear(in_features, features, bias=bias),
            norm=dense_norm(norm, features),
            activation=function,
            dropout=dropout,
            skip=residual and in_features == width,
        )


class ConvBlock(Block):
    """A Block around a Conv2d layer of stride 1 and same padding: (N, in_channels, H, W) to (N, width, H, W).

    It has a skip only if in_channels equals width.
    """

    def __init__(
        self,
        in_channels: int,
        width: int,
        activation: ActivationFactory,
        *,
        kernel_size: int = 3,
        norm: str = "batch",
        bias: bool = True,
        dropout: float = 0.0,
        residual: bool = False,
    ) -> None:
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ConfigError(
                f"model.kernel_size={kernel_size}: same padding needs an odd size, e.g. model.kernel_size=3"
            )
        function = activation()
        channels = pieces(function) * width
        super().__init__(
            nn.Conv2d(in_channels, channels, kernel_size, padding=kernel_size // 2, bias=bias),
            norm=conv_norm(norm, channels),
            activation=function,
            dropout=dropout,
            skip=residual and in_channels == width,
        )


def dense_norm(name: str, features: int) -> nn.Module:
    """Normalisation of (N, features).

    A group has at least 2 features: a single feature is its own mean, so its output would always be 0.
    """
    if name in ("layer", "group") and features < 2:
        raise ConfigError(f"model.norm={name}: one feature normalised by itself is always 0; use a width of at least 2")
    if name == "batch":
        return nn.BatchNorm1d(features)
    if name == "layer":
        return nn.LayerNorm(features)
    return _group_norm_or_none(name, features, most_groups=min(_MOST_GROUPS, features // 2))


def conv_norm(name: str, channels: int) -> nn.Module:
    """Normalisation of (N, channels, H, W); layer norm is over channels and positions together."""
    if name == "batch":
        return nn.BatchNorm2d(channels)
    if name == "layer":
        return nn.GroupNorm(1, channels)
    return _group_norm_or_none(name, channels, most_groups=_MOST_GROUPS)


def _group_norm_or_none(name: str, channels: int, *, most_groups: int) -> nn.Module:
    """Group norm (Wu & He 2018, arXiv:1803.08494) with as many groups, up to `most_groups`, as divide the channels."""
    if name == "group":
        return nn.GroupNorm(max(n for n in range(1, most_groups + 1) if channels % n == 0), channels)
    if name == "none":
        return nn.Identity()
    raise ConfigError(f"model.norm={name}: choose one of {', '.join(NORMS)}")


def image_channels(input_shape: Sequence[int], *, model: str) -> int:
    """The number of channels of an input of shape (C, H, W).

    Raises:
        ConfigError: if the input is not an image.
    """
    if len(input_shape) != 3:
        shape = "x".join(str(size) for size in input_shape)
        raise ConfigError(
            f"model={model}: needs images (channels, height, width), but a sample has shape {shape}; use model=mlp"
        )
    return int(input_shape[0])
