"""How much of the gradient gets through six layers of a real network, before the first update."""

import functools
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gradflow.data import sources
from gradflow.models.initialization import Initializer
from gradflow.models.mlp import MLP
from gradflow.reproductions.stored import Tables
from gradflow.runs.provenance import device_name, provenance
from gradflow.runs.record import State, now

LAYERS, SEEDS, SAMPLES = 6, range(8), 256
ACTIVATIONS: dict[str, type[nn.Module]] = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}
SCHEMES = {
    "init=he": functools.partial(Initializer, "he", "normal", "zero"),
    "init=lecun": functools.partial(Initializer, "lecun", "normal", "zero"),
    "init=torch": functools.partial(Initializer, "torch", "uniform", "uniform"),
}
COMMAND = "python -m gradflow.reproductions"


def signal_through(network: MLP, x: Tensor, y: Tensor) -> float:
    """Norm of the loss's gradient with respect to the input over that with respect to the last hidden output.

    Args:
        network: as wide as its input in every block, so that both norms are over the same number of values.
        x: input, shape (samples, features).
        y: classes, shape (samples,).
    """
    x = x.clone().requires_grad_()
    last = network.blocks(network.flatten(x))
    to_last, to_input = torch.autograd.grad(F.cross_entropy(network.head(last), y), (last, x))
    return float(to_input.norm() / to_last.norm())


def measure(seeds: Sequence[int] = SEEDS) -> Tables:
    """The signal through six layers for each activation, initialisation and seed, on the first digits."""
    digits = sources.digits()
    assert digits.pixel_max
    pixels = digits.x[:SAMPLES].reshape(SAMPLES, -1).astype(np.float64)
    x, y = torch.from_numpy(2 * pixels / digits.pixel_max - 1), torch.from_numpy(digits.y[:SAMPLES])
    rows = []
    for activation, function in ACTIVATIONS.items():
        for seed in seeds:
            found = {name: _one(function, scheme(), seed, x, y) for name, scheme in SCHEMES.items()}
            rows.append({"activation": activation, "blocks": np.nan, "seed": seed, "state": State.FINISHED, **found})
    return Tables(facts=_facts(), runs=pd.DataFrame(rows), epochs=pd.DataFrame(columns=["activation", "epoch"]))


def _one(function: type[nn.Module], scheme: Initializer, seed: int, x: Tensor, y: Tensor) -> float:
    network = MLP(x.shape[1:], int(y.max()) + 1, function, blocks=LAYERS, width=x.shape[1])
    scheme.apply(network.layers, seed)
    return signal_through(network.double(), x, y)


def _facts() -> dict[str, str]:
    source = provenance(device=device_name(torch.device("cpu")), threads=torch.get_num_threads())
    return {
        "command": COMMAND,
        "differs": "",
        "commit": str(source["git_commit"]),
        "tree": "clean" if source["git_clean"] else "with uncommitted changes",
        **{key: str(source[key]) for key in ("torch", "lightning", "python", "device", "threads")},
        "minutes": "0.0",
        "elapsed_minutes": "0.0",
        "date": now()[:10],
        "left_out": "0",
    }
