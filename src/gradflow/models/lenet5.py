"""LeNet-5 as course material teaches it: 697,046 parameters on 3x32x32 images with 10 outputs."""

from collections.abc import Sequence

from torch import Tensor, nn

from gradflow.errors import ConfigError
from gradflow.models.blocks import ActivationFactory, ConvBlock, DenseBlock, image_channels
from gradflow.models.layers import Layer, named_layers

_POOLINGS: dict[str, type[nn.MaxPool2d] | type[nn.AvgPool2d]] = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}


class LeNet5(nn.Module):
    """Three 5x5 convolutions, two 2x2 poolings, two linear layers: (N, C, H, W) to (N, num_outputs).

    The convolutions have 6, 16 and 120 channels, as in LeCun et al. 1998 (doi:10.1109/5.726791), but with same
    padding: the third one keeps (H/4, W/4) positions, where the original left one. The linear layer has 84 units.

    Args:
        input_shape: (C, H, W), at least 4 pixels each way.
        num_outputs: classes, or regression targets.
        activation: called once for each of the four hidden layers.
        norm: batch, layer, group or none, between a layer and its activation.
        bias: whether the hidden layers have one; the head always does.
        dropout: probability, after each activation.
        pooling: max or average, after the first and the second convolution.

    Raises:
        ConfigError: if the input is not an image or too small, or the pooling is unknown.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        num_outputs: int,
        activation: ActivationFactory,
        *,
        norm: str = "none",
        bias: bool = True,
        dropout: float = 0.0,
        pooling: str = "max",
    ) -> None:
        super().__init__()
        channels = image_channels(input_shape, model="lenet5")
        height, width = input_shape[1:]
        if min(height, width) < 4:
            raise ConfigError(
                f"model=lenet5: images of {height}x{width} are too small to be pooled twice; use model=mlp"
            )
        if pooling not in _POOLINGS:
            raise ConfigError(f"model.pooling={pooling}: choose one of {', '.join(_POOLINGS)}")

        def conv(in_channels: int, out_channels: int) -> ConvBlock:
            return ConvBlock(
                in_channels, out_channels, activation, kernel_size=5, norm=norm, bias=bias, dropout=dropout
            )

        self.conv1 = conv(channels, 6)
        self.conv2 = conv(6, 16)
        self.conv3 = conv(16, 120)
        self.pool = _POOLINGS[pooling](2)
        self.flatten = nn.Flatten()
        features = 120 * (height // 4) * (width // 4)
        self.linear = DenseBlock(features, 84, activation, norm=norm, bias=bias, dropout=dropout)
        self.head = nn.Linear(84, num_outputs)

    @property
    def layers(self) -> list[Layer]:
        """01_conv, 02_conv, 03_conv, 04_linear, 05_head, in forward order."""
        hidden = [self.conv1, self.conv2, self.conv3, self.linear]
        return named_layers(hidden, self.head, kinds=["conv", "conv", "conv", "linear"], first=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.conv1(x))
        x = self.pool(self.conv2(x))
        return self.head(self.linear(self.flatten(self.conv3(x))))
