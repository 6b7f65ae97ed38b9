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
    left, slopes = telephone.signal(network, x, y)
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
    _, slopes = telephone.signal(network, x, torch.tensor([0, 1]))
    assert slopes == pytest.approx([1.0, rms[0], rms[0] * rms[1]], rel=1e-9)


@pytest.mark.slow
def test_signals_of_deep_networks_do_not_underflow():
    effort = replace(QUICK, signal_depths=(50,), seeds=1)
    signals = telephone.signals(effort, seed=0)
    through = signals[signals["layers"] == 50].set_index(["activation", "setting"])["mean"]
    assert 1e-60 < through["sigmoid", telephone.PLAIN] < 0.25**50
    assert 1e-2 < through["relu", telephone.RIGHT] < 1e2
    # A weight has variance 1 / (3 fan_in) and half of the units are on: each layer leaves a sixth of the power.
    assert 0.05 < through["relu", telephone.PLAIN] / 6**-25 < 20
