"""Gradient and unit quantities against float64 derivations, and on inputs built to have known answers."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from gradflow.activations import Maxout
from gradflow.measure.gradients import _scaled_norms, decades_per_layer, gradient_abs_sums, gradient_norms
from gradflow.measure.units import UnitMeter
from gradflow.models.mlp import MLP

NORMS = [gradient_norms, _scaled_norms]  # float64, and the way of devices that have none


def loop_norm(tensor):
    return sum(float(entry) ** 2 for entry in tensor.flatten().tolist()) ** 0.5


def gradients(*scales):
    generator = torch.Generator().manual_seed(0)
    return [scale * torch.randn(3, 7, generator=generator) for scale in scales]


@pytest.mark.parametrize("norms", NORMS)
def test_gradient_norms_are_roots_of_sums_of_squares(norms):
    tensors = [*gradients(1.0, 1e-3, 1e4), torch.tensor([-3.0, 4.0])]
    assert norms(tensors).tolist() == pytest.approx([loop_norm(t) for t in tensors], rel=1e-6, abs=0)
    assert norms(tensors)[-1] == 5


@pytest.mark.parametrize("norms", NORMS)
def test_gradients_whose_squares_leave_float32_keep_their_norm(norms):
    tensors = gradients(1e-30, 1e30)
    assert float(tensors[0].square().sum()) == 0
    assert float(tensors[1].square().sum()) == float("inf")
    assert norms(tensors).tolist() == pytest.approx([loop_norm(t) for t in tensors], rel=1e-6, abs=0)


@pytest.mark.parametrize("norms", NORMS)
def test_a_gradient_of_zeros_has_norm_zero(norms):
    assert norms([torch.zeros(4), torch.tensor([0.0, 2.0])]).tolist() == [0, 2]


@pytest.mark.parametrize("norms", NORMS)
@pytest.mark.parametrize("entry", [float("nan"), float("inf")])
def test_a_norm_is_not_finite_when_an_entry_is_not(norms, entry):
    assert norms([torch.tensor([1.0, entry]), torch.ones(2)]).isfinite().tolist() == [False, True]


@pytest.mark.parametrize("norms", NORMS)
def test_thirty_sigmoid_layers_have_the_norm_of_their_float64_copy(norms):
    torch.manual_seed(0)
    network = MLP((8,), 3, nn.Sigmoid, blocks=30, width=8)
    x, y = torch.randn(16, 8), torch.arange(16) % 3
    exact = copy.deepcopy(network).double()
    nn.functional.cross_entropy(network(x), y).backward()
    nn.functional.cross_entropy(exact(x.double()), y).backward()
    first, true = network.layers[0].affine.weight.grad, exact.layers[0].affine.weight.grad
    assert float(first.square().sum().sqrt()) == 0, "float32 squares must underflow for this test to mean anything"
    assert float(norms([first])[0]) == pytest.approx(loop_norm(true), rel=1e-3, abs=0)
    assert 0 < loop_norm(true) < 1e-22


def test_absolute_gradients_are_summed_within_each_tensor():
    tensors = [torch.tensor([1.0, -3.0]), torch.tensor([[-6.0]]), torch.zeros(5)]
    assert gradient_abs_sums(tensors).tolist() == [4, 6, 0]


@pytest.mark.parametrize("magnitude", [1e-30, 1e-20, 1e-13, 1.0, 1e17, 1e19, 1e30])
def test_norms_of_any_magnitude_are_those_of_float64(magnitude):
    generator = torch.Generator().manual_seed(0)
    tensors = [torch.randn(shape, generator=generator) * magnitude for shape in ((300, 700), (5,), (64, 3, 3, 3))]
    mixed = [*tensors, torch.ones(4), torch.zeros(3)]
    assert gradient_norms(mixed).tolist() == pytest.approx([loop_norm(t.double()) for t in mixed], rel=1e-5, abs=0)


def test_a_norm_of_many_terms_is_summed_in_float64():
    many = torch.full((2**20 + 1,), 0.1)
    assert float(gradient_norms([many])[0]) == pytest.approx(float(many.double().norm()), rel=1e-12)


def test_norms_show_what_is_not_finite():
    tensors = [torch.tensor([1.0, float(bad)]) for bad in ("nan", "inf", "-inf", 1)]
    assert gradient_norms(tensors).isfinite().tolist() == [False, False, False, True]


def test_decades_per_layer_of_a_known_slope():
    rms = np.array([[1e-6, 1e-4, 1e-2, 1.0], [1.0, 0.1, 0.01, 0.001], [2.0, 2.0, 2.0, 2.0]])
    assert decades_per_layer(rms).tolist() == pytest.approx([2, -1, 0], abs=1e-12)


@pytest.mark.parametrize("layers", [2, 3, 8])
def test_decades_per_layer_is_numpys_least_squares_line(layers):
    rms = 10 ** np.random.default_rng(layers).normal(size=(5, layers), scale=3)
    slopes = [np.polyfit(np.arange(layers), np.log10(row), 1)[0] for row in rms]
    assert decades_per_layer(rms) == pytest.approx(slopes, rel=1e-9)


def test_decades_per_layer_is_not_finite_where_a_layer_has_no_gradient():
    rms = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    assert not np.isfinite(decades_per_layer(rms)).any()


def meter_of(activation, z, *, batches=None):
    meter = UnitMeter(activation)
    for part in z.split(batches or len(z)):
        before = part.clone()  # in-place functions overwrite it
        meter.add_preactivation(before)
        meter.add_output(activation(before))
    return meter


# Each unit's pre-activations at two samples, whether it is dead, how many of the two slopes are low.
RELU = [([-1, -9], True, 2), ([0, 0], True, 2), ([-1, 1], False, 1), ([1, 1e-8], False, 0)]
SIGMOID = [([20, 20], True, 2), ([-20, 20], True, 2), ([14, 14], False, 2), ([20, 0], False, 1), ([-4, 4.5], False, 1)]
TANH = [([9, -9], True, 2), ([4, 4], False, 2), ([2, 2.5], False, 1), ([0, 9], False, 1)]
ELU = [([-14, -20], True, 2), ([-13, -13], False, 2), ([-20, 1], False, 1), ([-2.9, -3.1], False, 1)]
LEAKY = [([-1, -1], False, 2), ([-1, 1], False, 1)]
BUILT = [
    (nn.ReLU(), RELU),
    (nn.ReLU(inplace=True), RELU),
    (nn.Sigmoid(), SIGMOID),
    (nn.Tanh(), TANH),
    (nn.ELU(), ELU),
    (nn.ELU(inplace=True), ELU),
    (nn.LeakyReLU(0.01), LEAKY),
]


@pytest.mark.parametrize(("activation", "units"), BUILT, ids=lambda v: str(v) if isinstance(v, nn.Module) else "")
@pytest.mark.parametrize("positions", [None, (2, 3)])
def test_dead_and_low_slope_units_of_known_preactivations(activation, units, positions):
    z = torch.tensor([values for values, *_ in units], dtype=torch.float32).T
    copies = 1
    if positions:  # channels: the same value everywhere
        z, copies = z[:, :, None, None].expand(-1, -1, *positions).contiguous(), 6
    meter = meter_of(activation, z, batches=1)
    assert meter.dead().tolist() == [dead for _, dead, _ in units]
    assert meter.low_slope() == (copies * sum(low for *_, low in units), z.numel())


def test_a_channel_with_one_live_position_is_alive():
    z = -torch.ones(5, 2, 4, 4)
    z[3, 1, 2, 0] = 1.0
    meter = meter_of(nn.ReLU(), z)
    assert meter.dead().tolist() == [True, False]
    assert meter.low_slope() == (5 * 2 * 16 - 1, 5 * 2 * 16)
    assert meter.dormant().tolist() == [True, False]


class OwnTanh(nn.Module):
    def forward(self, z):
        return torch.tanh(z)


@pytest.mark.parametrize("activation", [nn.Tanh(), OwnTanh()], ids=["closed form", "autograd"])
def test_slopes_of_bfloat16_preactivations_are_not_those_of_bfloat16(activation):
    z = torch.full((3, 1), 4.0, dtype=torch.bfloat16)
    assert float(1 - torch.tanh(z[0, 0]) ** 2) == 0, "bfloat16 must be flat here for this test to mean anything"
    meter = meter_of(activation, z)
    assert meter.dead().tolist() == [False]
    assert meter.low_slope() == (3, 3)


def test_functions_that_mix_units_have_no_slopes_but_may_be_dormant():
    z = torch.tensor([[1.0, 2.0, -1.0, 0.0]])  # two maxout units of two pieces: 2 and 0
    meter = meter_of(Maxout(2), z)
    assert not meter.has_slopes
    assert meter.low_slope() == (0, 0)
    assert meter.dormant().tolist() == [False, True]


def test_dormant_units_have_a_small_share_of_their_layers_mean_activity():
    outputs = torch.tensor([[1.0, -2.0, 0.03, 0.02, 0.0], [1.0, 2.0, -0.03, -0.02, 0.0]])  # mean 0.61, 2.5 % is 0.01525
    meter = UnitMeter(nn.Identity())
    meter.add_output(outputs / torch.tensor([1, 1, 1, 2, 1]))
    assert meter.dormant().tolist() == [False, False, False, True, True]


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 2, 2)])
def test_every_unit_of_a_silent_layer_is_dormant(shape):
    meter = UnitMeter(nn.ReLU())
    meter.add_output(torch.zeros(shape))
    assert meter.dormant().tolist() == [True] * 4


@pytest.mark.parametrize("shape", [(37, 6), (37, 6, 3, 2)])
@pytest.mark.parametrize("activation", [nn.ReLU(), nn.Tanh()], ids=["relu", "tanh"])
def test_statistics_do_not_depend_on_the_batches(activation, shape):
    z = 3 * torch.randn(shape, generator=torch.Generator().manual_seed(0))
    z[:, 0], z[:, 1] = -30.0, 0.0
    z[:, 2] *= 1e-3
    z[36, 0] = 1.0  # only the last, short batch shows that unit 0 lives
    whole, parts = meter_of(activation, z.clone()), meter_of(activation, z.clone(), batches=10)
    assert whole.dead().tolist() == parts.dead().tolist() == [False, activation(torch.ones(1)) == 1] + [False] * 4
    assert whole.low_slope() == parts.low_slope()
    assert whole.dormant().tolist() == parts.dormant().tolist()
    assert whole.dormant().any()


def test_entries_are_counted_exactly_past_float32s_integers():
    meter = UnitMeter(nn.ReLU())
    meter._low, meter._entries = meter._low + torch.tensor(2**24), 2**24
    meter.add_preactivation(torch.tensor([[-1.0]]))
    assert meter.low_slope() == (2**24 + 1, 2**24 + 1)
