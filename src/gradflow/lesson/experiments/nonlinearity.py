"""Networks with and without an activation function on two concentric circles."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gradflow.data.sources import circles
from gradflow.lesson.experiments.effort import Effort
from gradflow.lesson.experiments.fit import make_mlp
from gradflow.models.layers import Layer
from gradflow.models.mlp import MLP

WIDTH = 8
LEARNING_RATE = 0.02
SAMPLES, NOISE, FACTOR = 300, 0.1, 0.4
TRAINING_POINTS, TEST_POINTS = 0, 1  # seeds of the samples
REACH = 1.5  # the regions are drawn from -1.5 to 1.5
CELLS = 40  # per side
ACTIVATIONS: dict[str, type[nn.Module]] = {"identity": nn.Identity, "relu": nn.ReLU}


@dataclass(frozen=True)
class Classifier:
    """One trained network.

    Attributes:
        activation: identity or relu.
        depth: hidden layers.
        seed: of the initial weights.
        accuracy: on new points.
        regions: probability of the inner circle, shape (cells, cells); row 0 is the lowest x2.
        collapsed: for identity networks, (weights of shape (2,), bias) of the one linear function they amount to.
        difference: largest difference between the two in float64, over all cells and points.
    """

    activation: str
    depth: int
    seed: int
    accuracy: float
    regions: np.ndarray
    collapsed: tuple[np.ndarray, float] | None
    difference: float | None


def classifiers(effort: Effort, *, seed: int) -> list[Classifier]:
    """Every depth and seed of both activations; the page draws the first seed's regions."""
    return [
        _classifier(name, depth, seed + offset, steps=effort.circle_steps)
        for name in ACTIVATIONS
        for depth in effort.circle_depths
        for offset in range(effort.seeds)
    ]


def points(sample_seed: int) -> tuple[Tensor, Tensor]:
    """x float32 (300, 2), y in {0, 1} (300,): 1 is the inner circle."""
    arrays = circles(samples=SAMPLES, noise=NOISE, factor=FACTOR, sample_seed=sample_seed)
    return torch.from_numpy(arrays.x), torch.from_numpy(arrays.y)


def cell_centres() -> np.ndarray:
    """The coordinate of each column, and of each row, shape (cells,)."""
    edges = np.linspace(-REACH, REACH, CELLS + 1)
    return (edges[1:] + edges[:-1]) / 2


def collapse(layers: Sequence[Layer]) -> tuple[Tensor, Tensor]:
    """The one matrix and bias that linear layers without activations between them amount to, in float64.

    W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2), layer by layer.

    Returns:
        Weight of shape (outputs, inputs) and bias of shape (outputs,).
    """
    first, *rest = [layer.affine for layer in layers]
    weight, bias = _wide(first)
    for affine in rest:
        next_weight, next_bias = _wide(affine)
        weight, bias = next_weight @ weight, next_weight @ bias + next_bias
    return weight, bias


def _wide(affine: nn.Module) -> tuple[Tensor, Tensor]:
    assert isinstance(affine, nn.Linear)
    assert affine.bias is not None
    return affine.weight.detach().double(), affine.bias.detach().double()


def _classifier(name: str, depth: int, seed: int, *, steps: int) -> Classifier:
    network = make_mlp(ACTIVATIONS[name], blocks=depth, width=WIDTH, seed=seed, inputs=2, outputs=1)
    _train(network, steps=steps)
    x_test, y_test = points(TEST_POINTS)
    network.double()
    with torch.no_grad():
        right = (network(x_test.double())[:, 0] > 0) == (y_test == 1)
        regions = torch.sigmoid(network(_cells())[:, 0]).reshape(CELLS, CELLS).numpy()
    collapsed, difference = None, None
    if name == "identity":
        weight, bias = collapse(network.layers)
        collapsed = weight[0].numpy(), float(bias)
        difference = _largest_difference(network, weight, bias, torch.cat([_cells(), x_test.double()]))
    accuracy = float(right.double().mean())
    return Classifier(name, depth, seed, accuracy, regions, collapsed, difference)


def _train(network: MLP, *, steps: int) -> None:
    x, y = points(TRAINING_POINTS)
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, fused=True)
    for _ in range(steps):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(network(x)[:, 0], y.float()).backward()
        optimizer.step()


@torch.no_grad()
def _largest_difference(network: MLP, weight: Tensor, bias: Tensor, x: Tensor) -> float:
    return float((network(x) - (x @ weight.T + bias)).abs().max())


def _cells() -> Tensor:
    """All cell centres, row by row from the lowest, shape (cells², 2), float64."""
    centres = torch.from_numpy(cell_centres())
    x2, x1 = torch.meshgrid(centres, centres, indexing="ij")
    return torch.stack([x1.flatten(), x2.flatten()], dim=1)
