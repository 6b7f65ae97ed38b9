"""Section 6: three common mistakes with shallow networks, each trained with the mistake and without it."""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gradflow.lesson.experiments import fit
from gradflow.lesson.experiments.effort import Effort
from gradflow.lesson.experiments.fit import Loss

RATE = 0.001
WIDTH = 64
BLOCKS = 2
HIGH_RATE = 0.05
SGD_RATE = 0.02
TOO_MANY_DEAD = 0.2  # as in conf/callbacks/health_warnings.yaml
CUT = 10  # the rate is divided by this when too many units are dead


@dataclass(frozen=True)
class Way:
    """One way of training: the mistake or the fix.

    Attributes:
        name: as the figure shows it.
        is_mistake: whether it is the one to avoid.
        scheme: of the initial weights.
        rate: learning rate.
        optimizer: Adam or plain SGD.
        loss: (outputs, classes) to a scalar.
        watches: start again with a tenth of the rate if ever more than `TOO_MANY_DEAD` of the units are dead.
    """

    name: str
    is_mistake: bool
    scheme: str = "he"
    rate: float = RATE
    optimizer: type[torch.optim.Optimizer] = torch.optim.Adam
    loss: Loss = F.cross_entropy
    watches: bool = False


@dataclass(frozen=True)
class Curves:
    """Test accuracy and fraction of dead units by epoch, shape (epochs + 1,); epoch 0 is before the first update."""

    accuracy: np.ndarray
    dead: np.ndarray


def softmax_twice(outputs: Tensor, classes: Tensor) -> Tensor:
    """The mistake: `cross_entropy` takes logits and applies the softmax itself."""
    return F.cross_entropy(torch.softmax(outputs, dim=1), classes)


def relu_at_the_output(outputs: Tensor, classes: Tensor) -> Tensor:
    """The mistake: negative logits become 0 and get no gradient."""
    return F.cross_entropy(torch.relu(outputs), classes)


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


MISTAKES: dict[str, tuple[Way, ...]] = {
    "output": (
        Way("ReLU on the logits", True, loss=relu_at_the_output),
        Way("linear logits", False),
    ),
    "monitor": (
        Way("not monitored", True, scheme="torch", rate=HIGH_RATE),
        Way("monitored", False, scheme="torch", rate=HIGH_RATE, watches=True),
    ),
    "loss": (
        Way("softmax, then cross_entropy", True, loss=softmax_twice, rate=SGD_RATE, optimizer=torch.optim.SGD),
        Way("logits into cross_entropy", False, rate=SGD_RATE, optimizer=torch.optim.SGD),
    ),
}


def trainings(effort: Effort, *, seed: int) -> dict[str, dict[str, Curves]]:
    """Every way, by mistake and name."""
    return {mistake: {way.name: _average(way, effort, seed) for way in ways} for mistake, ways in MISTAKES.items()}


def _average(way: Way, effort: Effort, seed: int) -> Curves:
    runs = [train(way, seed=seed + offset, epochs=effort.epochs) for offset in range(effort.seeds)]
    return Curves(
        accuracy=np.mean([run.accuracy for run in runs], axis=0), dead=np.mean([run.dead for run in runs], axis=0)
    )


def train(way: Way, *, seed: int, epochs: int) -> Curves:
    """Train one network; a monitored one starts again at lower and lower rates until few enough units die."""
    rate = way.rate
    curves = _attempt(way, rate=rate, seed=seed, epochs=epochs)
    while way.watches and curves.dead.max() > TOO_MANY_DEAD:
        rate /= CUT
        curves = _attempt(way, rate=rate, seed=seed, epochs=epochs)
    return curves


def _attempt(way: Way, *, rate: float, seed: int, epochs: int) -> Curves:
    network = fit.make_mlp(nn.ReLU, blocks=BLOCKS, width=WIDTH, seed=seed, scheme=way.scheme)
    accuracy: list[float] = []
    dead: list[float] = []

    def look(epoch: int) -> None:
        accuracy.append(fit.accuracy(network))
        dead.append(fit.dead_fraction(fit.dead_units(network)))

    optimizer = way.optimizer(network.parameters(), lr=rate)  # type: ignore[call-arg]
    fit.fit(network, optimizer, epochs=epochs, seed=seed, after_epoch=look, loss=way.loss)
    return Curves(accuracy=np.array(accuracy), dead=np.array(dead))
