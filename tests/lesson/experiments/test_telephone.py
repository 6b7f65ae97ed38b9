"""The signal on its way back, against products of matrices."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from gradflow.lesson.experiments import fit, telephone
from gradflow.lesson.experiments.effort import QUICK


def linear_network(*, blocks, activation=nn.Identity, **options):
    return fit.make_mlp(activation, blocks=blocks, width=3, seed=5, inputs=3, outputs=2, **options).double()


def test_the_bound_is_the_largest_slope_to_the_power_of_the_layers():
    layers = np.array([0, 1, 6])
    assert telephone.bound(nn.Sigmoid(), layers).tolist() == [1.0, 0.25, 1 / 4096]
    assert telephone.bound(nn.Tanh(), layers).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("residual", [False, True])
def test_the_signal_of_a_linear_network_is_a_product_of_its_matrices(residual):
    network = linear_network(blocks=2, residual=residual)
    first, second, head = (layer.affine.weight.detach() for layer in network.layers)
    x, y = torch.tensor([[0.3, -1.0, 2.0]], dtype=torch.float64), torch.tensor([1])
    error = torch.softmax(network(x), dim=1).detach() - torch.tensor([[0.0, 1.0]])  # of the logits, cross-entropy
    skip = torch.eye(3, dtype=torch.float64) if residual else 0.0
    gradients = [error @ head]
    gradients.append(gradients[-1] @ (second + skip))
    gradients.append(gradients[-1] @ (first + skip))
    expected = [float(gradient.norm() / gradients[0].norm()) for gradient in gradients]
    left, slopes, *_ = telephone.signal(network, x, y)
    assert left == pytest.approx(expected, rel=1e-12)
    assert slopes.tolist() == [1.0, 1.0, 1.0]


def test_the_slopes_that_the_signal_passes_are_counted_from_the_output():
    network = linear_network(blocks=2, activation=nn.Sigmoid)
    first, second, _ = (layer.affine for layer in network.layers)
    x = torch.tensor([[0.3, -1.0, 2.0], [1.0, 0.0, -1.0]], dtype=torch.float64)
    with torch.no_grad():
        one = torch.sigmoid(first(x))
        two = torch.sigmoid(second(one))
        rms = [math.sqrt(float((a * (1 - a)).square().mean())) for a in (two, one)]
    slopes = telephone.signal(network, x, torch.tensor([0, 1])).slopes
    assert slopes == pytest.approx([1.0, rms[0], rms[0] * rms[1]], rel=1e-9)


def test_the_gain_per_layer_is_the_factor_by_which_weight_gradients_change_and_leaves_the_first_layer_out():
    network = linear_network(blocks=4)
    norms = {"first": 7.0, "second": 0.01, "third": 0.1, "fourth": 1.0}  # rms; each layer passes on a tenth
    for layer, rms in zip(network.layers, norms.values(), strict=False):
        layer.affine.weight.grad = torch.full_like(layer.affine.weight, rms)
    assert telephone.gain_per_layer(network) == pytest.approx(0.1)
    network.layers[2].affine.weight.grad *= 10  # 0.01, 1, 1: the fit rises by one decade a layer
    assert telephone.gain_per_layer(network) == pytest.approx(0.1)
    network.layers[1].affine.weight.grad *= 100
    network.layers[3].affine.weight.grad *= 10  # 1, 1, 10
    assert telephone.gain_per_layer(network) == pytest.approx(10**-0.5)


def test_the_gain_of_a_signal_is_that_of_its_backward_pass():
    network = linear_network(blocks=3, activation=nn.Tanh)
    x, y = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)), torch.arange(5) % 2
    gain, forward = telephone.signal(network, x, y)[2:]
    grown = float(network.blocks(x).detach().norm() / x.norm())
    assert forward.tolist() == pytest.approx([grown ** (1 / 3)])
    weights = [layer.affine.weight for layer in network.layers[1:3]]
    gradients = torch.autograd.grad(nn.functional.cross_entropy(network(x), y), weights)
    second, third = (float(gradient.square().mean().sqrt()) for gradient in gradients)
    assert gain == pytest.approx([second / third], rel=1e-9)


@pytest.fixture(scope="module")
def fifty():
    """What is left after 50 layers, and the gain per layer."""
    signals = telephone.signals(replace(QUICK, signal_depths=(50,), seeds=1), seed=0)
    return signals[signals["layers"] == 50].set_index(["activation", "setting"])


@pytest.mark.slow
def test_signals_of_deep_networks_do_not_underflow(fifty):
    through = fifty["mean"]
    assert 1e-60 < through["sigmoid", telephone.PLAIN] < 0.25**50
    assert 1e-2 < through["relu", telephone.RIGHT] < 1e2
    # A weight has variance 1 / (3 fan_in) and half of the units are on: each layer leaves a sixth of the power.
    assert 0.05 < through["relu", telephone.PLAIN] / 6**-25 < 20


@pytest.mark.slow
def test_what_keeps_a_signal_up_and_what_lets_it_grow(fifty):
    """What the section says in words about 50 layers."""
    through, gain = fifty["mean"], fifty["gain"]
    assert through["sigmoid", telephone.RIGHT] < 1e-20
    for way in (telephone.BATCHNORM, telephone.RESIDUAL):
        assert 1e-2 < through["sigmoid", way] < 1e2
    assert through["relu", telephone.BOTH] > 1e6
    for name in ("sigmoid", "relu"):  # two measures of the same thing: the outputs' gradient and the weights'
        assert gain[name, telephone.PLAIN] == pytest.approx(through[name, telephone.PLAIN] ** (1 / 50), rel=0.1)
    both = fifty.loc[("relu", telephone.BOTH)]  # a weight's gradient is the product of what comes back and forward
    assert both["gain"] == pytest.approx(both["mean"] ** (1 / 50) / both["forward"], rel=0.05)
    assert both["forward"] > 1.5
    assert gain["sigmoid", telephone.PLAIN] < 0.25 < gain["sigmoid", telephone.BATCHNORM]


def test_six_layers_are_told_apart_by_slopes_and_weights():
    signals = telephone.signals(replace(QUICK, signal_depths=(6,), seeds=2), seed=0)
    six = signals[signals["layers"] == 6].set_index(["activation", "setting"])
    slopes, weights = six["slopes"]["sigmoid", telephone.PLAIN], six["mean"]["identity", telephone.PLAIN]
    assert six["mean"]["sigmoid", telephone.PLAIN] == pytest.approx(slopes * weights, rel=0.2)
    assert six["mean"]["sigmoid", telephone.PLAIN] < 0.25**6 < six["mean"]["sigmoid", telephone.BATCHNORM]
    relu = fit.make_mlp(nn.ReLU, blocks=6, width=64, seed=0, scheme="torch").double()
    on = []
    for block in relu.blocks:
        block.activation.register_forward_hook(lambda module, x, out: on.append(float((out > 0).double().mean())))
    relu(fit.digit_data().x[: telephone.SAMPLES].double())
    assert math.prod(on) ** (1 / 6) == pytest.approx(six["slopes"]["relu", telephone.PLAIN] ** (2 / 6), rel=0.05)


def test_the_right_initialisation_makes_relus_weights_larger_by_the_factor_that_is_said():
    he, default = (fit.make_mlp(nn.ReLU, blocks=3, width=64, seed=0, scheme=scheme) for scheme in ("he", "torch"))
    stds = [
        torch.cat([layer.affine.weight.detach().flatten() for layer in one.layers[:3]]).std() for one in (he, default)
    ]
    assert float(stds[0] / stds[1]) == pytest.approx(math.sqrt(2) * math.sqrt(3), rel=0.02)
