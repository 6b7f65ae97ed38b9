"""What inputs of one sign do to the gradient of a unit's weights."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy.stats import binom
from torch import Tensor, nn

from gradflow.lesson.experiments.fit import digit_data, make_mlp

WIDTH = 24
SAMPLES = 24
UNIT = 0  # of the second hidden layer
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


@dataclass(frozen=True)
class Signs:
    """The gradients of one unit's incoming weights.

    Attributes:
        activation: of the previous layer and of the unit.
        signs: -1, 0 or 1, one row per sample, one column per weight, shape (samples, weights).
        shared: for each sample, the fraction of the weights whose gradient has the more common sign, shape (samples,).
        of_the_mean: the same fraction for the mean of the samples' gradients.
    """

    activation: str
    signs: np.ndarray
    shared: np.ndarray
    of_the_mean: float


def sign_structure(name: str, *, seed: int) -> Signs:
    """Gradients of a unit in the second hidden layer of a random network, digit by digit."""
    network = make_mlp(ACTIVATIONS[name], blocks=2, width=WIDTH, seed=seed)
    data = digit_data()
    weight = network.layers[1].affine.weight
    rows = []
    for x, y in zip(data.x[:SAMPLES], data.y[:SAMPLES], strict=True):
        (gradient,) = torch.autograd.grad(F.cross_entropy(network(x[None]), y[None]), weight)
        rows.append(gradient[UNIT])
    gradients = torch.stack(rows)
    return Signs(
        name, _signs(gradients), shared_sign(gradients), float(shared_sign(gradients.mean(0, keepdim=True))[0])
    )


def shared_sign(gradients: Tensor) -> np.ndarray:
    """For each row of shape (weights,), the fraction of entries with the more common sign; shape (rows,)."""
    positive = (gradients > 0).double().mean(dim=1)
    negative = (gradients < 0).double().mean(dim=1)
    return torch.maximum(positive, negative).numpy()


def chance_share(weights: int) -> float:
    """The mean fraction with the more common sign when a fair coin decides the sign of each weight."""
    heads = np.arange(weights + 1)
    return float(binom.pmf(heads, weights, 0.5) @ np.maximum(heads, weights - heads)) / weights


def _signs(gradients: Tensor) -> np.ndarray:
    return torch.sign(gradients).to(torch.int64).numpy()
