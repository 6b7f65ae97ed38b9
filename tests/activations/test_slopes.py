"""Slopes of custom functions: measured without side effects, or given by the function itself."""

import math

import pytest
import torch
from made_up_activations import InPlace, ShiftedReLU, Soft, SteeperSoft, Step, Wave
from torch import nn

from gradflow.activations import (
    Maxout,
    slope,
    slopes,
)
from gradflow.activations.slopes import evaluate


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


def test_a_slope_of_ones_own_is_used_where_automatic_differentiation_overflows():
    z = torch.tensor([-2.0, 0.0, 100.0])  # exp(100) is infinite in float32
    assert slope(Soft(), z).tolist() == pytest.approx([1 / (1 + math.exp(2)), 0.5, 1.0])
    assert not slopes.autograd_slope(Soft(), z).isfinite().all()


def test_a_slope_is_not_inherited():
    assert float(slope(SteeperSoft(), torch.zeros(1))) == pytest.approx(1.5)
