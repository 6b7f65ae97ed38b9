"""Initial weights: the promised variances, and draws that only the seed, the place and the shape decide."""

import math
from pathlib import Path

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import nn

from gradflow.activations import Maxout, gain
from gradflow.errors import ConfigError
from gradflow.models.conv import ConvStack
from gradflow.models.initialization import Initializer
from gradflow.models.mlp import MLP

CONF = Path(__file__).parents[2] / "conf" / "init"
SCHEMES = [
    ("torch", "uniform"),
    ("he", "uniform"),
    ("he", "normal"),
    ("xavier", "uniform"),
    ("xavier", "normal"),
    ("lecun", "uniform"),
    ("lecun", "normal"),
    ("orthogonal", None),
    ("keras", "uniform"),
]


def weights(activation, scheme, distribution, *, seed=3, blocks=2, bias="uniform", width=24):
    model = MLP((40,), 10, activation, blocks=blocks, width=width)
    Initializer(scheme, distribution, bias).apply(model.layers, seed)
    return model.layers


@pytest.mark.parametrize(("scheme", "distribution"), SCHEMES)
@pytest.mark.parametrize("activation", [nn.Tanh, nn.GELU, nn.PReLU, nn.Sigmoid])
def test_activations_start_from_the_same_draws_scaled_by_the_gain(scheme, distribution, activation):
    scale = gain(activation()) / gain(nn.ReLU()) if scheme in ("he", "xavier", "orthogonal") else 1.0
    relu, other = weights(nn.ReLU, scheme, distribution), weights(activation, scheme, distribution)
    for a, b in zip(relu, other, strict=True):
        factor = scale if a.hidden else 1.0
        torch.testing.assert_close(b.affine.weight, a.affine.weight * factor, rtol=1e-5, atol=1e-7)
        assert torch.equal(a.affine.bias, b.affine.bias)


@pytest.mark.parametrize(("scheme", "distribution"), SCHEMES)
def test_a_layer_does_not_depend_on_depth_or_on_the_global_generator(scheme, distribution):
    torch.manual_seed(0)
    shallow = weights(nn.ReLU, scheme, distribution, blocks=2)
    torch.manual_seed(1)
    deep = weights(nn.ReLU, scheme, distribution, blocks=5)
    for a, b in zip(shallow[:2], deep[:2], strict=True):
        assert torch.equal(a.affine.weight, b.affine.weight)
        assert torch.equal(a.affine.bias, b.affine.bias)
    other_seed = weights(nn.ReLU, scheme, distribution, seed=4)
    assert not torch.equal(shallow[0].affine.weight, other_seed[0].affine.weight)
    assert not torch.equal(deep[1].affine.weight, deep[2].affine.weight)


def test_apply_leaves_the_global_generator_alone():
    model = MLP((40,), 10, nn.ReLU, blocks=1, width=8)
    before = torch.get_rng_state()
    for scheme, distribution in SCHEMES:
        Initializer(scheme, distribution, "uniform").apply(model.layers, 0)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("scheme", "distribution"), [pair for pair in SCHEMES if pair[0] != "orthogonal"])
@pytest.mark.parametrize("activation", [nn.Tanh, Maxout])
def test_weight_variance_of_a_conv_layer(scheme, distribution, activation):
    model = ConvStack((40, 8, 8), 10, activation, blocks=1, width=60, kernel_size=3)
    Initializer(scheme, distribution, "uniform").apply(model.layers, 0)
    wide = 2 if activation is Maxout else 1
    fan_in, fan_out, scale = 9 * 40, 9 * 60 * wide, gain(activation())
    std = {
        "torch": 1 / math.sqrt(3 * fan_in),
        "he": scale / math.sqrt(fan_in),
        "xavier": scale * math.sqrt(2 / (fan_in + fan_out)),
        "lecun": 1 / math.sqrt(fan_in),
        "keras": math.sqrt(2 / (fan_in + fan_out)),
    }[scheme]
    weight = model.stem.affine.weight.detach().double()
    assert float(weight.std()) == pytest.approx(std, rel=0.02)  # of 21,600 entries: standard error 0.5 %
    assert abs(float(weight.mean())) < 4 * std / math.sqrt(weight.numel())
    kurtosis = float((weight / std).pow(4).mean())
    assert kurtosis == pytest.approx(3.0 if distribution == "normal" else 1.8, rel=0.05)
    if distribution == "uniform":
        assert float(weight.abs().max()) <= math.sqrt(3) * std * (1 + 1e-6)
    bias = model.stem.affine.bias.detach()
    assert 0.9 / math.sqrt(fan_in) < float(bias.abs().max()) <= 1 / math.sqrt(fan_in)


def test_torch_scheme_has_the_bounds_of_torchs_declared_layers():
    model = MLP((40,), 10, nn.ReLU, blocks=1, width=2000)
    own = [float(p.detach().abs().max()) for p in model.blocks[0].affine.parameters()]
    Initializer("torch", "uniform", "uniform").apply(model.layers, 0)
    ours = [float(p.detach().abs().max()) for p in model.blocks[0].affine.parameters()]
    assert ours == pytest.approx(own, rel=0.01)


def test_orthogonal_rows_have_the_length_of_the_gain():
    hidden, *_, head = weights(nn.Tanh, "orthogonal", None)
    gram = hidden.affine.weight @ hidden.affine.weight.T
    torch.testing.assert_close(gram, (5 / 3) ** 2 * torch.eye(24), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(head.affine.weight @ head.affine.weight.T, torch.eye(10), rtol=1e-4, atol=1e-5)


def test_zero_bias_and_no_bias():
    assert all(not layer.affine.bias.any() for layer in weights(nn.ReLU, "he", "normal", bias="zero"))
    model = MLP((4,), 2, nn.ReLU, blocks=1, width=8, bias=False)
    Initializer("he", "normal", "uniform").apply(model.layers, 0)
    assert model.layers[0].affine.bias is None


def test_he_keeps_the_scale_of_a_deep_relu_network():
    layers = weights(nn.ReLU, "he", "normal", blocks=20, bias="zero", width=256)
    h = torch.randn(512, 40, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for layer in layers[:-1]:
            z = layer.affine(h)
            h = torch.relu(z)
    assert 0.3 < float(z.square().mean()) / 2 < 3  # the pre-activation's second moment is gain² = 2 at every depth


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("glorot", "uniform", "zero"), "init.scheme=glorot"),
        (("orthogonal", "normal", "zero"), "init.distribution=normal: init.scheme=orthogonal takes null"),
        (("keras", "normal", "zero"), "init.scheme=keras takes uniform"),
        (("he", None, "zero"), "takes uniform or normal"),
        (("he", "normal", "one"), "init.bias=one"),
    ],
)
def test_knobs_without_effect_are_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        Initializer(*arguments)


@pytest.mark.parametrize("path", sorted(CONF.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_yaml_builds(path):
    option = OmegaConf.load(path)
    assert option.pop("name") == path.stem == option.scheme
    assert isinstance(instantiate(option), Initializer)
