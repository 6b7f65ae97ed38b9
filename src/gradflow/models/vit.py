"""A small vision transformer: patches, `blocks` encoder layers, the mean of the patches, a linear head."""

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gradflow.activations import pieces
from gradflow.errors import ConfigError, check_whole
from gradflow.models.blocks import ActivationFactory, image_channels
from gradflow.models.layers import Layer, layer_name

MOST_PATCHES = 64  # of the patch size that is chosen for an image
NORMS = LAYER, NONE = "layer", "none"


class VisionTransformer(nn.Module):
    """(N, C, H, W) to (N, num_outputs): an encoder over patches, whose mean the head sees.

    Args:
        input_shape: (C, H, W).
        num_outputs: classes, or regression targets.
        activation: called once per encoder layer, for its MLP.
        blocks: encoder layers, at least 1.
        width: of the embedding, a multiple of `heads`.
        heads: of the attention.
        mlp_ratio: units of the MLP over `width`.
        patch_size: pixels; None for the smallest of at least 2 that divides the image into at most 64 patches.
        norm: layer or none.
        norm_first: normalise what attention and MLP read, and once more before the head; otherwise each sum.
        dropout: probability, after attention and MLP and inside the MLP.

    Raises:
        ConfigError: if the input is not an image, or a size makes no sense.

    Source: Dosovitskiy et al. 2021, arXiv:2010.11929; without a class token, Beyer et al. 2022, arXiv:2205.01580;
        the order of normalisation, Xiong et al. 2020, arXiv:2002.04745.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        num_outputs: int,
        activation: ActivationFactory,
        *,
        blocks: int,
        width: int,
        heads: int = 4,
        mlp_ratio: int = 2,
        patch_size: int | None = None,
        norm: str = LAYER,
        norm_first: bool = True,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        channels = image_channels(input_shape, model="vit")
        if norm not in NORMS:
            raise ConfigError(f"model.norm={norm}: choose one of {', '.join(NORMS)}")
        blocks, width = check_whole("blocks", blocks, at_least=1), _checked_width(width, heads)
        patch, patches = _patches(input_shape, patch_size)
        self.patch = nn.Conv2d(channels, width, patch, patch)
        self.position = nn.Parameter(nn.init.trunc_normal_(torch.empty(patches, width), std=0.02))
        self.encoder = nn.Sequential(
            *(
                EncoderLayer(
                    width,
                    activation,
                    heads=heads,
                    mlp_ratio=check_whole("model.mlp_ratio", mlp_ratio, at_least=1),
                    norm=norm,
                    norm_first=norm_first,
                    dropout=dropout,
                )
                for _ in range(blocks)
            )
        )
        self.norm = _norm(norm if norm_first else NONE, width)
        self.head = nn.Linear(width, num_outputs)

    @property
    def layers(self) -> list[Layer]:
        """00_patch, then 01_attention, 02_projection, 03_mlp, 04_mlp_out of each block, and the head.

        An activation follows the layers called mlp; these are the ones that depth is measured over.
        """
        encoder = cast(list[EncoderLayer], list(self.encoder))
        affine: list[tuple[str, nn.Linear | nn.Conv2d, nn.Module | None]] = [
            ("patch", self.patch, None),
            *(part for layer in encoder for part in layer.affine),
            ("head", self.head, None),
        ]
        return [Layer(layer_name(i, kind, len(affine)), one, act) for i, (kind, one, act) in enumerate(affine)]

    @staticmethod
    def hidden_weights(blocks: int, width: int, mlp_ratio: int) -> int:
        """How many weights the encoder layers have, biases and normalisation left out."""
        return blocks * (4 + 2 * mlp_ratio) * width**2

    def forward(self, x: Tensor) -> Tensor:
        x_NTD = self.patch(x).flatten(2).mT + self.position
        return self.head(self.norm(self.encoder(x_NTD)).mean(1))


class EncoderLayer(nn.Module):
    """Self-attention and an MLP, each added to its input: (N, T, D) to (N, T, D), as in Vaswani et al. 2017.

    `torch.nn.TransformerEncoderLayer` computes the same; here each projection is a Linear layer, so that all of them
    are initialised and measured alike, in evaluation too.
    """

    def __init__(
        self,
        width: int,
        activation: ActivationFactory,
        *,
        heads: int,
        mlp_ratio: int,
        norm: str,
        norm_first: bool,
        dropout: float,
    ) -> None:
        super().__init__()
        if not 0 <= dropout < 1:
            raise ConfigError(f"model.dropout={dropout}: needs a probability in [0, 1), e.g. model.dropout=0.1")
        self.heads, self.norm_first = heads, norm_first
        self.norm1, self.norm2 = _norm(norm, width), _norm(norm, width)
        self.attention = nn.Linear(width, 3 * width)  # query, key and value
        self.projection = nn.Linear(width, width)
        self.activation = activation()
        self.mlp = nn.Linear(width, pieces(self.activation) * mlp_ratio * width)
        self.mlp_out = nn.Linear(mlp_ratio * width, width)
        self.dropout = nn.Dropout(dropout)

    @property
    def affine(self) -> list[tuple[str, nn.Linear, nn.Module | None]]:
        """Kind, layer and the activation that follows it, in forward order."""
        return [
            ("attention", self.attention, None),
            ("projection", self.projection, None),
            ("mlp", self.mlp, self.activation),
            ("mlp_out", self.mlp_out, None),
        ]

    def forward(self, x_NTD: Tensor) -> Tensor:
        if self.norm_first:
            x_NTD = x_NTD + self._attend(self.norm1(x_NTD))
            return x_NTD + self._transform(self.norm2(x_NTD))
        x_NTD = self.norm1(x_NTD + self._attend(x_NTD))
        return self.norm2(x_NTD + self._transform(x_NTD))

    def _attend(self, x_NTD: Tensor) -> Tensor:
        q, k, v = self.attention(x_NTD).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # (N, heads, T, D/h)
        return self.dropout(self.projection(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)))

    def _transform(self, x_NTD: Tensor) -> Tensor:
        z = self.mlp(x_NTD).flatten(0, 1)  # (N T, units): activations with parameters per unit have them on axis 1
        return self.dropout(self.mlp_out(self.dropout(self.activation(z)))).unflatten(0, x_NTD.shape[:2])


def _norm(name: str, width: int) -> nn.Module:
    return nn.LayerNorm(width) if name == LAYER else nn.Identity()


def _checked_width(width: int, heads: int) -> int:
    heads = check_whole("model.heads", heads, at_least=1)
    if isinstance(width, Sequence):
        raise ConfigError(f"width={list(width)}: model=vit takes one number, that of its embedding, e.g. width=64")
    width = check_whole("width", width, at_least=2)  # layer normalisation of one number is always 0
    if width % heads:
        raise ConfigError(f"width={width} model.heads={heads}: each head has an equal share; use a multiple of {heads}")
    return width


def _patches(input_shape: Sequence[int], patch_size: int | None) -> tuple[int, int]:
    """Size and number of the patches."""
    height, width = input_shape[1:]
    sizes = [n for n in range(1, min(height, width) + 1) if height % n == 0 and width % n == 0]
    if patch_size is None:
        fitting = [n for n in sizes if n > 1 and height * width // n**2 <= MOST_PATCHES]
        patch_size = fitting[0] if fitting else sizes[-1]
    if check_whole("model.patch_size", patch_size, at_least=1) not in sizes:
        raise ConfigError(
            f"model.patch_size={patch_size}: does not divide images of {height}x{width} into whole patches; choose one "
            f"of {', '.join(map(str, sizes))}"
        )
    return patch_size, height * width // patch_size**2
