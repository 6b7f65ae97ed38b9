"""Gradient quantities against float64 derivations, and on inputs built to have known answers."""

import copy

import pytest
import torch
from torch import nn

from gradflow.measure.gradients import _scaled_norms, gradient_abs_sums, gradient_norms
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


def test_a_norm_of_many_terms_is_summed_row_by_row():
    many = torch.full((2**20 + 1,), 0.1)
    assert float(gradient_norms([many])[0]) == pytest.approx(float(many.double().norm()), rel=2e-7)


def test_norms_show_what_is_not_finite():
    tensors = [torch.tensor([1.0, float(bad)]) for bad in ("nan", "inf", "-inf", 1)]
    assert gradient_norms(tensors).isfinite().tolist() == [False, False, False, True]
