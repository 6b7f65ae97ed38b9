"""The scores of a trained network on a data set, computed as in its run."""

from dataclasses import dataclass

import numpy as np
import torch

from gradflow.data.datamodule import ArrayDataModule
from gradflow.measure.scores import Pass
from gradflow.training.load import TrainedRun
from gradflow.training.trained_network import TrainedNetwork


@dataclass(frozen=True)
class Result:
    """What one run scores.

    Attributes:
        run: the run.
        epoch: of its weights, counted from 1.
        data: the name of the data set.
        part: which part of it.
        samples: how many there are.
        trained_on: how many of them the run was trained on, as far as that is known.
        scores: `loss`, and those of the task, such as `acc`, or `mae` and `r2`; as in run.json.
    """

    run: TrainedRun
    epoch: int
    data: str
    part: str
    samples: int
    trained_on: int
    scores: dict[str, float]


@torch.no_grad()
def scores(network: TrainedNetwork, data: ArrayDataModule, rows: np.ndarray) -> dict[str, float]:
    """Mean loss and scores over rows of a data set; the same numbers, to the last bit, as a test in the run.

    Args:
        network: the network, which scales inputs and targets as in its own training.
        data: whose samples the network was made for.
        rows: row numbers, at least one.
    """
    precision = network.precision
    x, y = data.arrays.x, network.preparation.targets(data.arrays.y)
    meter = Pass(network.task, network.device)
    with precision.forward_context():
        for start in range(0, len(rows), data.eval_batch_size):
            batch = rows[start : start + data.eval_batch_size]
            targets = precision.convert_input(torch.from_numpy(y[batch]).to(network.device))
            outputs = network.network(network.prepare(x[batch]))
            meter.add(network.task.loss(outputs, targets), outputs, targets)
    return {tag.rpartition("/")[2]: value for tag, value in meter.scores("test").items()}
