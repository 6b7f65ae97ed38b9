"""LeNet-5: the published parameter count, names, and what it refuses."""

import pytest
import torch
from torch import nn

from gradflow.activations import Maxout
from gradflow.errors import ConfigError
from gradflow.models.lenet5 import LeNet5


def count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_parameter_count_on_cifar10():
    assert count(LeNet5((3, 32, 32), 10, nn.ReLU)) == 697_046


@pytest.mark.parametrize("pieces", [1, 2])
def test_parameter_count_by_hand(pieces):
    model = LeNet5((1, 28, 30), 5, lambda: Maxout(pieces), norm="batch")
    outputs = pieces * (6 + 16 + 120 + 84)
    weights = pieces * (6 * 25 * 1 + 16 * 25 * 6 + 120 * 25 * 16 + 84 * 120 * 7 * 7)
    assert count(model) == weights + outputs + 2 * outputs + 84 * 5 + 5
    assert model(torch.randn(3, 1, 28, 30)).shape == (3, 5)


def test_layers_are_named_in_forward_order():
    model = LeNet5((3, 32, 32), 10, nn.Tanh)
    assert [layer.name for layer in model.layers] == ["01_conv", "02_conv", "03_conv", "04_linear", "05_head"]
    assert [layer.affine.weight.shape[0] for layer in model.layers] == [6, 16, 120, 84, 10]
    assert model.layers[-1].activation is None


def test_pooling_changes_the_output():
    models = [LeNet5((1, 8, 8), 10, nn.Tanh, pooling=pooling) for pooling in ("max", "average")]
    models[1].load_state_dict(models[0].state_dict())
    x = torch.randn(2, 1, 8, 8)
    assert not torch.allclose(models[0](x), models[1](x))
    flat = torch.ones(2, 1, 8, 8)
    for model in models:
        model.conv1.affine.weight.data.zero_()
    torch.testing.assert_close(models[0].pool(flat), models[1].pool(flat))


@pytest.mark.parametrize(
    ("shape", "knobs", "message"),
    [
        ((30,), {}, r"model=lenet5: .*model=mlp"),
        ((1, 3, 8), {}, "model=lenet5: images of 3x8"),
        ((1, 8, 8), {"pooling": "min"}, "model.pooling=min"),
    ],
)
def test_what_makes_no_sense_is_refused(shape, knobs, message):
    with pytest.raises(ConfigError, match=message):
        LeNet5(shape, 10, nn.ReLU, **knobs)
