"""The slope that a custom activation defines is checked against the derivative."""

from made_up_activations import Soft, SteeperSoft, Summed
from torch import nn

from gradflow.activations import (
    probes,
)


def test_a_slope_of_ones_own_is_checked_against_the_derivative():
    assert probes.where_own_slope_is_wrong(Soft()) is None
    assert probes.where_own_slope_is_wrong(SteeperSoft()) is None
    assert probes.where_own_slope_is_wrong(nn.ReLU()) is None
    said = probes.where_own_slope_is_wrong(Summed())
    assert said is not None
    assert said.startswith("slope(z) has shape () for z of shape (1000, 1)")
