"""The signal through six layers, against what matrices and slopes make of it by hand."""

import pytest
import torch
from torch import nn

from gradflow.models.initialization import Initializer
from gradflow.models.mlp import MLP
from gradflow.reproductions.six_layers import ACTIVATIONS, SCHEMES, measure, signal_through

WIDTH = 8


def network(activation, scheme="orthogonal"):
    made = MLP((WIDTH,), 3, activation, blocks=6, width=WIDTH)
    Initializer(scheme, None if scheme == "orthogonal" else "normal", "zero").apply(made.layers, 0)
    return made.double()


def sample(samples=5):
    x = torch.randn(samples, WIDTH, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return x, torch.arange(samples) % 3


def test_orthogonal_weights_alone_lose_nothing():
    assert signal_through(network(nn.Identity), *sample()) == pytest.approx(1.0, rel=1e-5)  # drawn in float32


@torch.no_grad()
def by_hand(made, x, y):
    """Norm of the gradient of one sample's loss at the input of a linear network, over that at its last block."""
    product = torch.eye(WIDTH, dtype=torch.float64)
    for block in made.blocks:
        product = block.affine.weight @ product
    difference = torch.softmax(made.head(product @ x), dim=0) - torch.eye(3, dtype=torch.float64)[y]
    to_last = made.head.weight.T @ difference  # cross-entropy's gradient is softmax minus one-hot
    return float((product.T @ to_last).norm() / to_last.norm())


def test_a_linear_network_scales_by_its_matrices():
    made = network(nn.Identity, "he")
    x, y = sample(1)
    assert signal_through(made, x, y) == pytest.approx(by_hand(made, x[0], y[0]), rel=1e-9)


def test_sigmoid_lets_through_at_most_a_quarter_per_layer():
    assert 0 < signal_through(network(nn.Sigmoid), *sample()) <= 0.25**6 * (1 + 1e-5)


def test_every_activation_initialisation_and_seed_is_measured():
    tables = measure(seeds=[0, 1])
    assert tables.runs[["activation", "seed"]].to_numpy().tolist() == [[a, s] for a in ACTIVATIONS for s in (0, 1)]
    assert (tables.runs[list(SCHEMES)] > 0).all().all()
    assert tables.runs.equals(measure(seeds=[0, 1]).runs)
