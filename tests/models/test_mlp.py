"""The multilayer perceptron: parameter counts by hand, names, skips, and what it refuses."""

import math

import pytest
import torch
from torch import nn

from gradflow.activations import Maxout
from gradflow.errors import ConfigError
from gradflow.models.blocks import DenseBlock, dense_norm
from gradflow.models.layers import layer_name
from gradflow.models.mlp import MLP


def count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("pieces", [1, 2, 3])
@pytest.mark.parametrize("norm", ["none", "batch", "layer", "group"])
@pytest.mark.parametrize("bias", [True, False])
def test_parameter_count(pieces, norm, bias):
    model = MLP((1, 8, 8), 10, lambda: Maxout(pieces), blocks=3, width=16, norm=norm, bias=bias)
    affine = pieces * 16 * (64 + 16 + 16 + 3 * bias)
    normalisation = 0 if norm == "none" else 3 * 2 * 16 * pieces
    assert count(model) == affine + normalisation + 16 * 10 + 10
    assert model(torch.randn(4, 1, 8, 8)).shape == (4, 10)


def test_layers_are_named_in_forward_order():
    model = MLP((64,), 10, nn.ReLU, blocks=2, width=16)
    assert [layer.name for layer in model.layers] == ["01_block", "02_block", "03_head"]
    assert [layer.hidden for layer in model.layers] == [True, True, False]
    assert [layer.affine.in_features for layer in model.layers] == [64, 16, 16]
    assert model.layers[0].activation is model.blocks[0].activation


def test_names_sort_by_depth_past_a_hundred_layers():
    names = [layer_name(index, "block", 120) for index in range(1, 121)]
    assert names == sorted(names)
    assert layer_name(7, "block", 99) == "07_block"


def test_a_list_of_widths():
    model = MLP((5,), 1, nn.Tanh, blocks=None, width=[8, 4, 4])
    assert [layer.affine.out_features for layer in model.layers] == [8, 4, 4, 1]
    assert len(MLP((5,), 1, nn.Tanh, blocks=2, width=(8, 4)).layers) == 3


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"blocks": 3, "width": [8, 4]}, r"blocks=3: width=\[8, 4\]"),
        ({"blocks": None, "width": 8}, "blocks=null"),
        ({"blocks": 0, "width": 8}, "blocks=0"),
        ({"blocks": 1, "width": 0}, "width=0"),
        ({"blocks": None, "width": []}, "width="),
        ({"blocks": None, "width": [8, 0]}, r"width=0: .*at least 1, e\.g\. width=\[64,32\]"),
        ({"blocks": 1, "width": 8, "residual": True}, "model.residual=true"),
        ({"blocks": 1, "width": 8, "norm": "spectral"}, "model.norm=spectral"),
        ({"blocks": 1, "width": 8, "dropout": 1.5}, "model.dropout=1.5"),
        ({"blocks": 1, "width": 1, "norm": "layer"}, "model.norm=layer"),
    ],
)
def test_contradictions_are_refused(knobs, message):
    with pytest.raises(ConfigError, match=message):
        MLP((5,), 2, nn.ReLU, **knobs)


def test_residual_adds_the_input_where_shapes_agree():
    model = MLP((6,), 2, nn.Tanh, blocks=3, width=8, residual=True).double()
    x = torch.randn(5, 6, dtype=torch.float64)
    first, second, third = [layer.affine for layer in model.layers[:-1]]
    h = torch.tanh(x @ first.weight.T + first.bias)
    h = h + torch.tanh(h @ second.weight.T + second.bias)
    h = h + torch.tanh(h @ third.weight.T + third.bias)
    torch.testing.assert_close(model(x), h @ model.head.weight.T + model.head.bias)


def test_one_activation_module_a_layer():
    model = MLP((6,), 2, nn.PReLU, blocks=3, width=8)
    assert len({id(layer.activation) for layer in model.layers[:-1]}) == 3


def test_dropout_acts_in_training_only():
    block = DenseBlock(4, 1000, nn.Identity, dropout=0.25)
    x = torch.randn(1, 4)
    torch.manual_seed(0)
    assert float((block.train()(x) == 0).float().mean()) == pytest.approx(0.25, abs=0.05)
    torch.testing.assert_close(block.eval()(x), block.affine(x))


@pytest.mark.parametrize(("features", "groups"), [(64, 8), (12, 6), (8, 4), (7, 1), (2, 1)])
def test_dense_groups_hold_at_least_two_features(features, groups):
    norm = dense_norm("group", features)
    assert norm.num_groups == groups
    assert norm(torch.randn(3, features)).abs().min() > 0


@pytest.mark.parametrize("name", ["layer", "group"])
def test_per_sample_norms_give_each_group_mean_0_and_variance_1(name):
    z = 3 + 2 * torch.randn(4, 16, dtype=torch.float64)
    groups = {"layer": 1, "group": 8}[name]
    rows = dense_norm(name, 16).double()(z).view(4, groups, -1)
    torch.testing.assert_close(rows.mean(-1), torch.zeros(4, groups, dtype=torch.float64))
    spread = z.view(4, groups, -1).var(-1, correction=0)
    torch.testing.assert_close(rows.var(-1, correction=0), spread / (spread + 1e-5))


def test_untrained_output_is_a_logit_without_activation():
    model = MLP((3,), 4, nn.Sigmoid, blocks=1, width=2)
    assert model.layers[-1].activation is None
    assert math.prod(model(torch.zeros(2, 3)).shape) == 8
