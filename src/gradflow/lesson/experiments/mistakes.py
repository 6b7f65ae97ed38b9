"""Two common mistakes at the output of a shallow network, each trained with the mistake and without it."""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gradflow.lesson.experiments import fit
from gradflow.lesson.experiments.effort import Effort

WIDTH = 64
BLOCKS = 2
ADAM_RATE, SGD_RATE = 0.001, 0.02


@dataclass(frozen=True)
class Way:
    """A mistake after the last layer; without it, the same network is trained in the same way.

    Attributes:
        mistake: what should not stand there.
        optimizer: of both trainings.
        rate: its learning rate.
    """

    mistake: nn.Module
    optimizer: type[torch.optim.Optimizer]
    rate: float


def softmax_twice(outputs: Tensor, classes: Tensor) -> Tensor:
    """The mistake: `cross_entropy` takes logits and applies the softmax itself."""
    return F.cross_entropy(torch.softmax(outputs, dim=1), classes)


def floor_of_softmax_twice(num_classes: int) -> float:
    """The lowest value of `softmax_twice`, in nats: a probability of 1 taken as a logit of 1.

    -log(e / (e + num_classes - 1)).
    """
    return math.log(math.e + num_classes - 1) - 1


def gradient_share(*, seed: int) -> float:
    """How large `softmax_twice` makes the gradient at the outputs before training, 1 being that of cross-entropy.

    Quotient of the Euclidean norms over all training digits.
    """
    data = fit.digit_data()
    with torch.no_grad():
        outputs = fit.make_mlp(nn.ReLU, blocks=BLOCKS, width=WIDTH, seed=seed)(data.x)
    outputs.requires_grad_()
    norms = [
        float(torch.autograd.grad(loss(outputs, data.y), outputs)[0].norm())
        for loss in (softmax_twice, F.cross_entropy)
    ]
    return norms[0] / norms[1]


OUTPUT, LOSS = "output", "loss"
WAYS = {
    OUTPUT: Way(nn.ReLU(), torch.optim.Adam, ADAM_RATE),
    LOSS: Way(nn.Softmax(dim=1), torch.optim.SGD, SGD_RATE),
}


@dataclass(frozen=True)
class Pair:
    """Test accuracy with the mistake and without it, shape (seeds, epochs + 1); epoch 0 is before training."""

    failing: np.ndarray
    mended: np.ndarray


def trainings(effort: Effort, *, seed: int) -> dict[str, Pair]:
    """Both mistakes, by name."""
    seeds = range(seed, seed + effort.seeds)
    return {
        name: Pair(
            *(
                np.stack([train(way, seed=one, epochs=effort.epochs, is_mended=is_mended) for one in seeds])
                for is_mended in (False, True)
            )
        )
        for name, way in WAYS.items()
    }


def train(way: Way, *, seed: int, epochs: int, is_mended: bool) -> np.ndarray:
    """Test accuracy of one network by epoch, shape (epochs + 1,)."""
    logits = fit.make_mlp(nn.ReLU, blocks=BLOCKS, width=WIDTH, seed=seed)
    network = logits if is_mended else nn.Sequential(logits, way.mistake)
    accuracy: list[float] = []
    optimizer = way.optimizer(network.parameters(), lr=way.rate)  # type: ignore[call-arg]
    fit.fit(network, optimizer, epochs=epochs, seed=seed, after_epoch=lambda _: accuracy.append(fit.accuracy(network)))
    return np.array(accuracy)
