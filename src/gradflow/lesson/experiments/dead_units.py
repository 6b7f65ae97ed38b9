"""Units that die while a network trains, and what keeps them alive."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from gradflow.lesson.experiments import fit
from gradflow.lesson.experiments.effort import Effort

BLOCKS, WIDTH = 3, 64
HIGH_RATE, RATE = 0.05, 0.002
CUT = 10  # the lower rate is the rate divided by this
TOO_MANY_DEAD = 0.2  # as in conf/callbacks/health_warnings.yaml
BAD_BIAS = -2.0
LEAK = 0.01


@dataclass(frozen=True)
class Recipe:
    """How a network is made and trained.

    Attributes:
        rate: learning rate of Adam.
        bias: initial bias of every hidden unit; None keeps the initialisation's.
        options: arguments of `make_mlp`.
    """

    rate: float
    bias: float | None
    activation: Callable[[], nn.Module] = nn.ReLU
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Training:
    """The result, averaged over the seeds; epoch 0 is before the first update.

    Attributes:
        dead: mean fraction of dead units by epoch, shape (epochs + 1,).
        accuracy: mean test accuracy by epoch, same shape.
        units: of the first seed, whether each unit is dead, shape (epochs + 1, units).
    """

    dead: np.ndarray
    accuracy: np.ndarray
    units: np.ndarray

    @property
    def ever_dead(self) -> int:
        """Units of the first seed that were dead after some epoch."""
        return int(self.units[1:].any(axis=0).sum())

    @property
    def woken(self) -> int:
        """Those of them that are alive at the end."""
        return int((self.units[1:].any(axis=0) & ~self.units[-1]).sum())


RATE_CAUSE, BIAS_CAUSE = "large learning rate", "bad bias"
FAILS, LOWER = "no cure", "a tenth of the rate"
_TORCH = {"scheme": "torch"}
RECIPES: dict[str, dict[str, Recipe]] = {
    RATE_CAUSE: {
        FAILS: Recipe(HIGH_RATE, None, options=_TORCH),
        "leaky ReLU": Recipe(HIGH_RATE, None, functools.partial(nn.LeakyReLU, LEAK), options=_TORCH),
        "He initialisation": Recipe(HIGH_RATE, None, options={"scheme": "he"}),
        LOWER: Recipe(HIGH_RATE / CUT, None, options=_TORCH),
        "BatchNorm": Recipe(HIGH_RATE, None, options={"scheme": "torch", "norm": "batch"}),
    },
    BIAS_CAUSE: {
        FAILS: Recipe(RATE, BAD_BIAS, options=_TORCH),
        "leaky ReLU": Recipe(RATE, BAD_BIAS, functools.partial(nn.LeakyReLU, LEAK), options=_TORCH),
        "He initialisation": Recipe(RATE, None, options={"scheme": "he"}),
        LOWER: Recipe(RATE / CUT, BAD_BIAS, options=_TORCH),
        "BatchNorm": Recipe(RATE, BAD_BIAS, options={"scheme": "torch", "norm": "batch"}),
    },
}


def trainings(effort: Effort, *, seed: int) -> dict[str, dict[str, Training]]:
    """Every recipe, cause by cause."""
    return {
        cause: {name: average(recipe, effort, seed) for name, recipe in recipes.items()}
        for cause, recipes in RECIPES.items()
    }


def average(recipe: Recipe, effort: Effort, seed: int) -> Training:
    """One recipe, averaged over all seeds, the first of which is `seed`."""
    runs = [_train(recipe, seed + offset, effort.epochs) for offset in range(effort.seeds)]
    units = [run[0] for run in runs]
    dead = np.mean([flags.mean(axis=1) for flags in units], axis=0)
    return Training(dead=dead, accuracy=np.mean([run[1] for run in runs], axis=0), units=units[0])


def _train(recipe: Recipe, seed: int, epochs: int) -> tuple[np.ndarray, np.ndarray]:
    network = fit.make_mlp(recipe.activation, blocks=BLOCKS, width=WIDTH, seed=seed, **recipe.options)
    if recipe.bias is not None:
        for layer in network.layers:
            if layer.hidden and layer.affine.bias is not None:
                nn.init.constant_(layer.affine.bias, recipe.bias)
    units: list[np.ndarray] = []
    accuracies: list[float] = []

    def look(epoch: int) -> None:
        units.append(np.concatenate(fit.dead_units(network)))
        accuracies.append(fit.accuracy(network))

    optimizer = torch.optim.Adam(network.parameters(), lr=recipe.rate, fused=True)
    fit.fit(network, optimizer, epochs=epochs, seed=seed, after_epoch=look)
    return np.stack(units), np.array(accuracies)
