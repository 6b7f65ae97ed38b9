"""Unit quantities on inputs built to have known answers."""

import pytest
import torch
from torch import nn

from gradflow.activations import Maxout
from gradflow.measure.units import UnitMeter


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
