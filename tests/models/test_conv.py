"""The Conv-Norm-Act stack: parameter counts by hand, names, skips, and what it refuses."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gradflow.activations import Maxout
from gradflow.errors import ConfigError
from gradflow.models.blocks import conv_norm
from gradflow.models.conv import ConvStack


@pytest.mark.parametrize("pieces", [1, 2])
@pytest.mark.parametrize("norm", ["none", "batch", "layer", "group"])
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
@pytest.mark.parametrize("bias", [True, False])
def test_parameter_count(pieces, norm, kernel_size, bias):
    model = ConvStack(
        (3, 8, 6), 10, lambda: Maxout(pieces), blocks=2, width=12, norm=norm, kernel_size=kernel_size, bias=bias
    )
    conv = pieces * 12 * (kernel_size**2 * (3 + 12 + 12) + 3 * bias)
    normalisation = 0 if norm == "none" else 3 * 2 * 12 * pieces
    assert sum(p.numel() for p in model.parameters()) == conv + normalisation + 12 * 10 + 10
    assert model(torch.randn(2, 3, 8, 6)).shape == (2, 10)


def test_layers_are_named_in_forward_order():
    model = ConvStack((1, 8, 8), 10, nn.ReLU, blocks=8, width=4)
    names = [layer.name for layer in model.layers]
    assert names == ["00_stem", *[f"{k:02d}_block" for k in range(1, 9)], "09_head"]
    assert [layer.hidden for layer in model.layers] == [True] * 9 + [False]
    assert model.layers[0].affine is model.stem.affine


def test_more_than_a_hundred_layers_sort_by_depth():
    names = [layer.name for layer in ConvStack((1, 8, 8), 10, nn.ReLU, blocks=100, width=1).layers]
    assert names == sorted(names)
    assert names[-1] == "101_head"


@pytest.mark.parametrize("residual", [False, True])
def test_forward_with_and_without_skips(residual):
    model = ConvStack((4, 5, 5), 3, nn.Tanh, blocks=2, width=4, norm="none", residual=residual).double()
    x = torch.randn(2, 4, 5, 5, dtype=torch.float64)
    stem, *blocks = [layer.affine for layer in model.layers[:-1]]
    h = torch.tanh(F.conv2d(x, stem.weight, stem.bias, padding=1))  # the stem has no skip though the shapes agree
    for conv in blocks:
        h = residual * h + torch.tanh(F.conv2d(h, conv.weight, conv.bias, padding=1))
    torch.testing.assert_close(model(x), h.mean((2, 3)) @ model.head.weight.T + model.head.bias)


@pytest.mark.parametrize(("channels", "groups"), [(64, 8), (12, 6), (10, 5), (7, 7), (11, 1)])
def test_group_norm_takes_the_largest_divisor_up_to_eight(channels, groups):
    assert conv_norm("group", channels).num_groups == groups


def test_layer_norm_is_over_channels_and_positions():
    z = 2 + 3 * torch.randn(2, 4, 5, 5, dtype=torch.float64)
    output = conv_norm("layer", 4).double()(z).flatten(1)
    torch.testing.assert_close(output.mean(1), torch.zeros(2, dtype=torch.float64))
    torch.testing.assert_close(output.var(1, correction=0), torch.ones(2, dtype=torch.float64), rtol=1e-5, atol=0)


@pytest.mark.parametrize(
    ("shape", "knobs", "message"),
    [
        ((64,), {}, r"model=conv: .*64.*model=mlp"),
        ((1, 8, 8), {"kernel_size": 4}, "model.kernel_size=4"),
        ((1, 8, 8), {"norm": "instance"}, "model.norm=instance"),
        ((1, 8, 8), {"blocks": 0}, "blocks=0"),
        ((1, 8, 8), {"width": [4, 4]}, "width="),
    ],
)
def test_what_makes_no_sense_is_refused(shape, knobs, message):
    with pytest.raises(ConfigError, match=message):
        ConvStack(shape, 10, nn.ReLU, **{"blocks": 2, "width": 4, **knobs})
