import pytest
import torch
from torch import nn

from gradflow.activations.maxout import Maxout
from gradflow.errors import ConfigError
from gradflow.models.vit import EncoderLayer, VisionTransformer

X = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def made(shape=(1, 8, 8), outputs=10, activation=nn.GELU, *, blocks=2, width=8, **options):
    return VisionTransformer(shape, outputs, activation, blocks=blocks, width=width, **options)


@pytest.mark.parametrize("norm_first", [True, False])
def test_parameters_are_counted_by_hand(norm_first):
    network = made((3, 32, 32), blocks=6, width=64, norm_first=norm_first)
    patch, position = 64 * 3 * 4 * 4 + 64, 64 * 64
    attention = 64 * 192 + 192 + 64 * 64 + 64
    mlp = 64 * 128 + 128 + 128 * 64 + 64
    norms = 2 * 2 * 64
    final = 2 * 64 if norm_first else 0
    counted = patch + position + 6 * (attention + mlp + norms) + final + 650
    assert sum(p.numel() for p in network.parameters()) == counted


@pytest.mark.parametrize("norm_first", [True, False])
def test_an_encoder_layer_computes_what_torchs_does(norm_first):
    ours = EncoderLayer(8, nn.GELU, heads=2, mlp_ratio=3, norm="layer", norm_first=norm_first, dropout=0.0)
    torchs = nn.TransformerEncoderLayer(
        8, 2, 24, dropout=0.0, activation="gelu", batch_first=True, norm_first=norm_first
    )
    pairs = {
        "self_attn.in_proj_": "attention.",
        "self_attn.out_proj.": "projection.",
        "linear1.": "mlp.",
        "linear2.": "mlp_out.",
        "norm1.": "norm1.",
        "norm2.": "norm2.",
    }
    state = ours.state_dict()
    torchs.load_state_dict(
        {f"{old}{kind}": state[f"{new}{kind}"] for old, new in pairs.items() for kind in ("weight", "bias")}
    )
    x = torch.randn(3, 5, 8)
    assert torch.allclose(ours(x), torchs(x), atol=1e-6)


def test_a_patch_is_projected_and_the_mean_of_the_patches_is_classified():
    network = made(blocks=1, norm="none")
    for one in (network.encoder[0].projection, network.encoder[0].mlp_out):
        nn.init.zeros_(one.weight)
        nn.init.zeros_(one.bias)  # leaves the encoder layer without effect
    patches = X.unfold(2, 2, 2).unfold(3, 2, 2).reshape(2, 16, 4)
    embedded = patches @ network.patch.weight.reshape(8, 4).T + network.patch.bias + network.position
    assert torch.allclose(network(X), network.head(embedded.mean(1)), atol=1e-6)


def test_layers_are_in_forward_order_and_the_mlps_have_the_activations():
    layers = made().layers
    one = ["attention", "projection", "mlp", "mlp_out"]
    assert [layer.name.partition("_")[2] for layer in layers] == ["patch", *one, *one, "head"]
    assert [layer.name for layer in layers if layer.hidden] == ["03_mlp", "07_mlp"]


@pytest.mark.parametrize(("side", "size"), [(8, 2), (28, 4), (32, 4), (64, 8), (7, 7), (1, 1)])
def test_the_patch_size_suits_the_image(side, size):
    assert made((1, side, side)).patch.kernel_size == (size, size)


def test_activations_with_parameters_per_unit_have_them_per_unit_of_the_mlp():
    network = made(activation=lambda: nn.PReLU(16))
    assert network(X).shape == (2, 10)
    assert made(activation=Maxout)(X).shape == (2, 10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 6}, r"width=6 model\.heads=4: each head has an equal share; use a multiple of 4"),
        ({"width": [8, 8]}, "takes one number"),
        ({"blocks": 0}, "blocks=0"),
        ({"patch_size": 3}, r"model\.patch_size=3: .*8x8.*choose one of 1, 2, 4, 8"),
        ({"shape": (64,)}, "model=vit: needs images"),
        ({"norm": "batch"}, "model.norm=batch: choose one of layer, none"),
        ({"dropout": 1.0}, "model.dropout=1.0"),
    ],
)
def test_what_makes_no_sense_is_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        made(**options)
