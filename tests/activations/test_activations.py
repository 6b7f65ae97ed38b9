"""Slopes against float64 autograd and known tails; facts by hand; gains against known integrals."""

import copy
import math
from pathlib import Path

import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from scipy import integrate, stats
from torch import Tensor, nn

from gradflow.activations import (
    Facts,
    Maxout,
    facts,
    gain,
    is_elementwise,
    largest_slope,
    pieces,
    probes,
    slope,
    slopes,
)
from gradflow.activations.slopes import evaluate

INF = math.inf
CONF = Path(__file__).parents[2] / "conf" / "activation"

ELEMENTWISE = [
    nn.Identity(),
    nn.Sigmoid(),
    nn.Tanh(),
    nn.ReLU(),
    nn.ReLU(inplace=True),
    nn.LeakyReLU(),
    nn.LeakyReLU(0.3),
    nn.LeakyReLU(-0.5),
    nn.PReLU(),
    nn.PReLU(init=1.7),
    nn.RReLU(),
    nn.RReLU(0.5, 0.9),
    nn.ELU(),
    nn.ELU(1.7),
    nn.SELU(),
    nn.CELU(),
    nn.CELU(0.25),  # torch rounds 1 / alpha to float32: a power of two keeps the comparison exact
    nn.GELU(),
    nn.GELU(approximate="tanh"),
    nn.SiLU(),
    nn.Mish(),
    nn.Softplus(),
    nn.Softplus(beta=3.0, threshold=5.0),
    nn.Softsign(),
    nn.Hardtanh(),
    nn.Hardtanh(-0.5, 2.0),
    nn.Hardswish(),
    nn.ReLU6(),
]


class Wave(nn.Module):
    """A custom elementwise activation with a learned frequency, a buffer that counts, dropout, and a side effect."""

    def __init__(self) -> None:
        super().__init__()
        self.frequency = nn.Parameter(torch.tensor(2.0))
        self.register_buffer("calls", torch.tensor(0))
        self.dropout = nn.Dropout(0.5)

    def forward(self, z: Tensor) -> Tensor:
        self.calls += 1
        torch.rand(1)
        return self.dropout(torch.sin(self.frequency * z))


class InPlace(nn.Module):
    def forward(self, z: Tensor) -> Tensor:
        return z.mul_(3).tanh_()


class ShiftedReLU(nn.ReLU):
    """A subclass with another forward: the closed form of its parent would be wrong."""

    def forward(self, z: Tensor) -> Tensor:
        return torch.relu(z - 1)


class PerChannel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([0.5, 1.0, 4.0]).view(1, 3, 1, 1))

    def forward(self, z: Tensor) -> Tensor:
        return torch.atan(self.weight * z)


class Step(nn.Module):
    def forward(self, z: Tensor) -> Tensor:
        return (z > 0).to(z)


class Projection(nn.Module):
    """A weight matrix inside, far too large to be taken for one parameter a unit."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(300, 300)

    def forward(self, z: Tensor) -> Tensor:
        return z * torch.sigmoid(self.linear(z))


class Running(nn.Module):
    def forward(self, z: Tensor) -> Tensor:
        return z.cumsum(-1)


def autograd_slope(activation: nn.Module, z: Tensor) -> Tensor:
    leaf = z.clone().requires_grad_()
    module = copy.deepcopy(activation).double().eval()
    return torch.autograd.grad(module(leaf.clone()).sum(), leaf)[0]


@pytest.mark.parametrize("activation", ELEMENTWISE, ids=repr)
def test_closed_form_slope_equals_float64_autograd(activation):
    kinks = torch.tensor([-6.0, -3.0, -1.0, -0.5, 0.0, 1.0, 2.0, 3.0, 6.0], dtype=torch.float64)
    z = torch.cat([torch.linspace(-30, 30, 4001, dtype=torch.float64), kinks])
    torch.testing.assert_close(slope(activation, z), autograd_slope(activation, z), rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("activation", ELEMENTWISE, ids=repr)
def test_slope_is_accurate_in_float32_far_into_the_tails(activation):
    z = torch.cat([torch.linspace(-12, -5, 71), torch.linspace(5, 12, 71)])
    exact = slope(activation, z.double())
    torch.testing.assert_close(slope(activation, z).double(), exact, rtol=3e-5, atol=1e-36)  # float32 ends at 1e-38


@pytest.mark.parametrize(
    ("activation", "exact"),
    [
        (nn.Sigmoid(), lambda z: math.exp(-z)),
        (nn.Tanh(), lambda z: 4 * math.exp(-2 * z)),
    ],
)
def test_saturated_slopes_follow_their_exponential_where_autograd_gives_zero(activation, exact):
    z = torch.tensor([20.0, 30.0, -30.0])
    torch.testing.assert_close(slope(activation, z), torch.tensor([exact(abs(float(x))) for x in z]), rtol=1e-5, atol=0)


@pytest.mark.parametrize("activation", ELEMENTWISE, ids=repr)
def test_slope_at_infinity_is_finite_and_keeps_dtype_and_shape(activation):
    z = torch.tensor([[-INF, -1e20, 0.5], [1e20, INF, -0.5]], dtype=torch.float32, requires_grad=True)
    result = slope(activation, z)
    assert result.shape == z.shape
    assert result.dtype == torch.float32
    assert not result.requires_grad
    assert result.isfinite().all()


def test_kinks_have_the_value_of_torch_autograd():
    assert float(slope(nn.ReLU(), torch.zeros(1))) == 0.0
    assert slope(nn.Hardswish(), torch.tensor([-3.0, 3.0])).tolist() == [0.0, 1.0]
    assert slope(nn.Softplus(threshold=2.0), torch.tensor([2.5])).tolist() == [1.0]


@pytest.mark.parametrize("shape", [(5, 3), (5, 3, 2, 4)])
def test_prelu_with_a_weight_per_channel(shape):
    prelu = nn.PReLU(3)
    with torch.no_grad():
        prelu.weight.copy_(torch.tensor([0.1, -0.2, 3.0]))
    z = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(slope(prelu, z), autograd_slope(prelu, z))
    assert largest_slope(prelu) == 3.0
    assert gain(prelu) == pytest.approx((sum((1 + w * w) / 2 for w in (0.1, -0.2, 3.0)) / 3) ** -0.5, rel=1e-5)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_custom_slope_leaves_no_trace(mode):
    wave = Wave().train()
    wave.dropout.eval()
    fired = []
    wave.register_forward_hook(lambda *_: fired.append(1))
    wave.frequency.grad = torch.tensor(7.0)
    random_state = torch.get_rng_state()
    with mode():
        z = torch.linspace(-3, 3, 12).view(3, 4)
        result = slope(wave, z)
    torch.testing.assert_close(result, 2 * torch.cos(2 * z))
    assert torch.equal(torch.get_rng_state(), random_state)
    assert (wave.training, wave.dropout.training) == (True, False)
    assert int(wave.calls) == 0
    assert float(wave.frequency.grad) == 7.0
    assert not fired
    assert not result.requires_grad


def test_custom_slope_is_that_of_evaluation_mode():
    wave = Wave().train()
    z = torch.linspace(-3, 3, 100)
    torch.testing.assert_close(slope(wave, z), 2 * torch.cos(2 * z))


def test_custom_slope_survives_in_place_activations_and_steps():
    z = torch.linspace(-2, 2, 41, dtype=torch.float64)
    before = z.clone()
    torch.testing.assert_close(slope(InPlace(), z), 3 / torch.cosh(3 * z) ** 2)
    assert torch.equal(z, before)
    assert torch.equal(slope(Step(), z), torch.zeros_like(z))


def test_a_subclass_is_not_mistaken_for_its_parent():
    assert slope(ShiftedReLU(), torch.tensor([0.5, 1.5])).tolist() == [0.0, 1.0]


def test_slope_of_a_function_that_is_not_elementwise_is_refused():
    with pytest.raises(ValueError, match="not elementwise"):
        slope(Maxout(), torch.zeros(2, 4))


def test_evaluate_casts_parameters_to_the_inputs_dtype():
    assert evaluate(nn.PReLU(), torch.tensor([-2.0], dtype=torch.float64)).tolist() == [-0.5]


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


def test_maxout_takes_the_largest_of_neighbouring_channels():
    z = torch.tensor([[1.0, 5.0, -2.0, -3.0]])
    assert Maxout()(z).tolist() == [[5.0, -2.0]]
    assert Maxout(4)(z.view(1, 4, 1, 1)).shape == (1, 1, 1, 1)
    assert (pieces(Maxout(4)), pieces(nn.ReLU())) == (4, 1)
    with pytest.raises(ValueError, match="pieces=0"):
        Maxout(0)


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


class Soft(nn.Module):
    """log(1 + exp(z)) with its derivative in closed form."""

    def forward(self, z):
        return torch.log1p(torch.exp(z))

    def slope(self, z):
        return torch.sigmoid(z)


class SteeperSoft(Soft):
    """Inherits a slope that is not its own."""

    def forward(self, z):
        return 3 * super().forward(z)


class Summed(Soft):
    def slope(self, z):
        return torch.sigmoid(z).sum()


def test_a_slope_of_ones_own_is_used_where_automatic_differentiation_overflows():
    z = torch.tensor([-2.0, 0.0, 100.0])  # exp(100) is infinite in float32
    assert slope(Soft(), z).tolist() == pytest.approx([1 / (1 + math.exp(2)), 0.5, 1.0])
    assert not slopes.autograd_slope(Soft(), z).isfinite().all()


def test_a_slope_is_not_inherited():
    assert float(slope(SteeperSoft(), torch.zeros(1))) == pytest.approx(1.5)


def test_a_slope_of_ones_own_is_checked_against_the_derivative():
    assert probes.where_own_slope_is_wrong(Soft()) is None
    assert probes.where_own_slope_is_wrong(SteeperSoft()) is None
    assert probes.where_own_slope_is_wrong(nn.ReLU()) is None
    said = probes.where_own_slope_is_wrong(Summed())
    assert said is not None
    assert said.startswith("slope(z) has the shape () for z of shape (1000, 1)")
