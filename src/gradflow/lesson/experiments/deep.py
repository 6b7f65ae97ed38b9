"""Which activations train in a deep network, for each way of building it."""

import pandas as pd
import torch

from gradflow.lesson.experiments import fit, telephone
from gradflow.lesson.experiments.effort import Effort
from gradflow.lesson.experiments.telephone import SETTINGS, Setting

BLOCKS, WIDTH = 20, telephone.WIDTH
RATE = 0.001
ACTIVATIONS = {name: telephone.ACTIVATIONS[name] for name in ("sigmoid", "tanh", "relu", "gelu")}


def trainings(effort: Effort, *, seed: int) -> pd.DataFrame:
    """Every activation in every setting of the telephone game, trained on the digits with Adam.

    Returns:
        Columns activation, setting, seed, epoch (0 is before the first update), accuracy on the test digits.
    """
    return pd.concat(
        [
            train(name, setting, seed=one, epochs=effort.deep_epochs)
            for name in ACTIVATIONS
            for setting in SETTINGS
            for one in range(seed, seed + effort.seeds)
        ],
        ignore_index=True,
    )


def train(name: str, setting: Setting, *, seed: int, epochs: int) -> pd.DataFrame:
    """One network; columns as in `trainings`."""
    network = fit.make_mlp(ACTIVATIONS[name], blocks=BLOCKS, width=WIDTH, seed=seed, **setting.options)
    accuracy: list[float] = []
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE, fused=True)  # a third of the time
    fit.fit(network, optimizer, epochs=epochs, seed=seed, after_epoch=lambda _: accuracy.append(fit.accuracy(network)))
    columns = {"activation": name, "setting": setting.name, "seed": seed, "epoch": range(epochs + 1)}
    return pd.DataFrame(columns | {"accuracy": accuracy})
