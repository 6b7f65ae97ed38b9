"""Slopes in closed form against float64 autograd and known tails."""

import copy
import math

import pytest
import torch
from made_up_activations import (
    ELEMENTWISE,
    INF,
)
from torch import Tensor, nn

from gradflow.activations import (
    gain,
    largest_slope,
    slope,
)


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
