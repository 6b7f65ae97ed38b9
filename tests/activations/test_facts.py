"""Facts by hand; gains against known integrals; the largest slope against a dense grid."""

import math
from pathlib import Path

import pytest
import torch
from hydra.utils import instantiate
from made_up_activations import (
    ELEMENTWISE,
    INF,
    InPlace,
    PerChannel,
    Projection,
    Running,
    ShiftedReLU,
    Step,
    Wave,
)
from omegaconf import OmegaConf
from scipy import integrate, stats
from torch import nn

from gradflow.activations import (
    Facts,
    Maxout,
    facts,
    gain,
    is_elementwise,
    largest_slope,
    slope,
)

CONF = Path(__file__).parents[2] / "conf" / "activation"


@pytest.mark.parametrize("activation", [*ELEMENTWISE, Wave(), InPlace(), ShiftedReLU(), PerChannel()], ids=repr)
def test_largest_slope_bounds_a_dense_grid_and_is_reached(activation):
    z = torch.linspace(-40, 40, 80001, dtype=torch.float64)
    z = z.view(-1, 1, 1, 1).expand(-1, 3, 1, 1) if isinstance(activation, PerChannel) else z
    seen = float(slope(activation, z).abs().max())
    assert largest_slope(activation) == pytest.approx(seen, rel=5e-4)
    assert largest_slope(activation) >= seen - 1e-6


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        (nn.Sigmoid(), 0.25),
        (nn.Hardswish(), 1.5),
        (nn.GELU(), 1.1289),
        (nn.SiLU(), 1.0998),
        (nn.Mish(), 1.0885),
        (nn.SELU(), 1.0507009873554805 * 1.6732632423543772),
        (nn.ELU(0.3), 1.0),
        (nn.ELU(2.5), 2.5),
        (nn.CELU(0.2), 1.0),
        (nn.LeakyReLU(-3.0), 3.0),
    ],
)
def test_largest_slope_known_values(activation, expected):
    assert largest_slope(activation) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("activation", [*ELEMENTWISE, Wave(), InPlace(), PerChannel(), Step(), nn.PReLU(6)], ids=repr)
def test_elementwise(activation):
    assert is_elementwise(activation)


@pytest.mark.parametrize(
    "activation",
    [Maxout(), Maxout(3), nn.Softmax(dim=1), nn.Softmax(dim=0), nn.Softmax2d(), nn.GLU(), Running(), Projection()],
    ids=repr,
)
def test_not_elementwise(activation):
    assert not is_elementwise(activation)
    assert facts(activation).largest_slope is None


@pytest.mark.parametrize(
    ("activation", "expected"),
    [  # lower, upper, zero-centred, sigmoid-like, largest slope, elementwise
        (nn.Identity(), Facts(-INF, INF, True, False, 1.0, True)),
        (nn.Sigmoid(), Facts(0.0, 1.0, False, True, 0.25, True)),
        (nn.Tanh(), Facts(-1.0, 1.0, True, True, 1.0, True)),
        (nn.ReLU(), Facts(0.0, INF, False, False, 1.0, True)),
        (nn.LeakyReLU(0.01), Facts(-INF, INF, False, False, 1.0, True)),
        (nn.LeakyReLU(0.0), Facts(0.0, INF, False, False, 1.0, True)),
        (nn.RReLU(), Facts(-INF, INF, False, False, 1.0, True)),
        (nn.ELU(), Facts(-1.0, INF, False, False, 1.0, True)),
        (nn.ELU(1.6), Facts(-1.6, INF, True, False, 1.6, True)),
        (nn.CELU(0.5), Facts(-0.5, INF, False, False, 1.0, True)),
        (nn.Softplus(), Facts(0.0, INF, False, False, 1.0, True)),
        (nn.Softsign(), Facts(-1.0, 1.0, True, True, 1.0, True)),
        (nn.Hardtanh(), Facts(-1.0, 1.0, True, True, 1.0, True)),
        (nn.Hardtanh(-2.0, 3.0), Facts(-2.0, 3.0, True, True, 1.0, True)),
        (nn.Hardswish(), Facts(-0.375, INF, False, False, 1.5, True)),
        (nn.ReLU6(), Facts(0.0, 6.0, False, False, 1.0, True)),
        (Maxout(), Facts(-INF, INF, False, False, None, False)),
        (Step(), Facts(0.0, 1.0, False, False, 0.0, True)),
        (ShiftedReLU(), Facts(0.0, INF, False, False, 1.0, True)),
    ],
    ids=repr,
)
def test_facts(activation, expected):
    assert facts(activation) == expected


@pytest.mark.parametrize(
    ("activation", "lower", "zero_centred"),
    [
        (nn.SELU(), -1.7581, True),
        (nn.GELU(), -0.16997, False),
        (nn.SiLU(), -0.27846, False),
        (nn.Mish(), -0.30884, False),
    ],
    ids=repr,
)
def test_facts_of_functions_with_a_minimum(activation, lower, zero_centred):
    found = facts(activation)
    assert found.lower == pytest.approx(lower, abs=1e-5)
    assert (found.upper, found.zero_centred, found.sigmoid_like) == (INF, zero_centred, False)


def test_facts_of_custom_functions_are_measured():
    assert facts(InPlace()) == Facts(-1.0, 1.0, True, True, 3.0, True)
    wave = facts(Wave())
    assert (wave.lower, wave.upper) == pytest.approx((-1.0, 1.0), abs=1e-4)
    assert (wave.zero_centred, wave.sigmoid_like) == (True, False)
    softmax = facts(nn.Softmax(dim=1))
    assert (softmax.lower, softmax.upper) == pytest.approx((0.0, 1.0))
    assert not softmax.zero_centred


def test_facts_follow_learned_parameters():
    prelu = nn.PReLU()
    with torch.no_grad():
        prelu.weight.fill_(-2.0)
    assert facts(prelu) == Facts(0.0, INF, False, False, 2.0, True)


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        (nn.Identity(), 1.0),
        (nn.Sigmoid(), 1.0),
        (nn.Tanh(), 5 / 3),
        (nn.ReLU(), math.sqrt(2)),
        (nn.LeakyReLU(0.2), math.sqrt(2 / 1.04)),
        (nn.SELU(), 0.75),
        (nn.PReLU(), math.sqrt(2 / (1 + 0.25**2))),
        (nn.RReLU(0.2, 0.4), math.sqrt(2 / (1 + 0.3**2))),
        (Maxout(1), 1.0),
        (Maxout(2), 1.0),  # max² + min² = z1² + z2² and both have the same mean
        (Maxout(3), (1 + math.sqrt(3) / (2 * math.pi)) ** -0.5),
        (nn.Softmax(dim=1), 1.0),
        (ShiftedReLU(), (2 * stats.norm.sf(1) - stats.norm.pdf(1)) ** -0.5),  # E[(z - 1)²; z > 1]
        (Step(), math.sqrt(2)),
    ],
    ids=repr,
)
def test_gain_known_values(activation, expected):
    assert gain(activation) == pytest.approx(expected, rel=1e-3 if isinstance(activation, Step) else 1e-5)


@pytest.mark.parametrize(
    "activation",
    [
        nn.ELU(1.3),
        nn.CELU(0.5),
        nn.GELU(),
        nn.SiLU(),
        nn.Mish(),
        nn.Softplus(),
        nn.Softsign(),
        nn.Hardtanh(),
        nn.Hardswish(),
    ],
    ids=repr,
)
def test_gain_keeps_the_second_moment_of_a_standard_normal(activation):
    def integrand(z: float) -> float:
        return float(activation(torch.tensor(z, dtype=torch.float64))) ** 2 * stats.norm.pdf(z)

    moment, _ = integrate.quad(integrand, -10, 10, points=[-3, -1, 0, 1, 3], epsabs=1e-9)
    assert gain(activation) ** 2 * moment == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("path", sorted(CONF.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_yaml_builds_its_function(path):
    option = OmegaConf.load(path)
    name = option.pop("name")
    if path.stem == "custom":
        assert name is None
        option._target_ = "torch.nn.Tanh"
    else:
        assert name == path.stem
    assert isinstance(instantiate(option), nn.Module)
