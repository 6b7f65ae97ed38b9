"""Unit quantities on inputs built to have known answers."""

import pytest
import torch
from torch import nn

from gradflow.activations import Maxout
from gradflow.measure.units import ActivityMeter, SlopeMeter


class Meters:
    """Both meters of a layer, after all samples."""

    def __init__(self, activation, z, *, batches=None):
        slopes, activity = SlopeMeter(activation), ActivityMeter()
        for part in z.split(batches or len(z)):
            before = part.clone()  # in-place functions overwrite it
            slopes.update(before)
            activity.update(activation(before))
        (dead, self.units), self.low = ([int(one) for one in part] for part in slopes.compute())
        self.dead, self.dormant = slopes.dead().tolist(), activity.dormant().tolist()
        assert dead == sum(self.dead)
        assert [int(one) for one in activity.compute()] == [sum(self.dormant), self.units]


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
    meters = Meters(activation, z, batches=1)
    assert meters.dead == [dead for _, dead, _ in units]
    assert meters.low == [copies * sum(low for *_, low in units), z.numel()]


def test_a_channel_with_one_live_position_is_alive():
    z = -torch.ones(5, 2, 4, 4)
    z[3, 1, 2, 0] = 1.0
    meters = Meters(nn.ReLU(), z)
    assert meters.dead == [True, False]
    assert meters.low == [5 * 2 * 16 - 1, 5 * 2 * 16]
    assert meters.dormant == [True, False]


class OwnTanh(nn.Module):
    def forward(self, z):
        return torch.tanh(z)


@pytest.mark.parametrize("activation", [nn.Tanh(), OwnTanh()], ids=["closed form", "autograd"])
def test_slopes_of_bfloat16_preactivations_are_not_those_of_bfloat16(activation):
    z = torch.full((3, 1), 4.0, dtype=torch.bfloat16)
    assert float(1 - torch.tanh(z[0, 0]) ** 2) == 0, "bfloat16 must be flat here for this test to mean anything"
    meters = Meters(activation, z)
    assert meters.dead == [False]
    assert meters.low == [3, 3]


def test_units_of_functions_that_mix_their_inputs_may_be_dormant():
    meter = ActivityMeter()
    meter.update(Maxout(2)(torch.tensor([[1.0, 2.0, -1.0, 0.0]])))  # two units of two pieces: 2 and 0
    assert meter.dormant().tolist() == [False, True]


def test_dormant_units_have_a_small_share_of_their_layers_mean_activity():
    outputs = torch.tensor([[1.0, -2.0, 0.03, 0.02, 0.0], [1.0, 2.0, -0.03, -0.02, 0.0]])  # mean 0.61, 2.5 % is 0.01525
    meter = ActivityMeter()
    meter.update(outputs / torch.tensor([1, 1, 1, 2, 1]))
    assert meter.dormant().tolist() == [False, False, False, True, True]


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 2, 2)])
def test_every_unit_of_a_silent_layer_is_dormant(shape):
    meter = ActivityMeter()
    meter.update(torch.zeros(shape))
    assert meter.dormant().tolist() == [True] * 4


@pytest.mark.parametrize("shape", [(37, 6), (37, 6, 3, 2)])
@pytest.mark.parametrize("activation", [nn.ReLU(), nn.Tanh()], ids=["relu", "tanh"])
def test_statistics_do_not_depend_on_the_batches(activation, shape):
    z = 3 * torch.randn(shape, generator=torch.Generator().manual_seed(0))
    z[:, 0], z[:, 1] = -30.0, 0.0
    z[:, 2] *= 1e-3
    z[36, 0] = 1.0  # only the last, short batch shows that unit 0 lives
    whole, parts = Meters(activation, z.clone()), Meters(activation, z.clone(), batches=10)
    assert whole.dead == parts.dead == [False, activation(torch.ones(1)) == 1] + [False] * 4
    assert whole.low == parts.low
    assert whole.dormant == parts.dormant
    assert any(whole.dormant)


def test_entries_are_counted_exactly_past_float32s_integers():
    meter = SlopeMeter(nn.ReLU())
    meter.low, meter.entries = torch.tensor(2**24), torch.tensor(2**24)
    meter.update(torch.tensor([[-1.0]]))
    assert [int(one) for one in meter.compute().low] == [2**24 + 1, 2**24 + 1]
