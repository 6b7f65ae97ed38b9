"""A small network on a few samples, trained by Lightning; what it wrote to TensorBoard is read back."""

from dataclasses import dataclass
from pathlib import Path

import lightning as L
import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

from gradflow.data.arrays import Arrays
from gradflow.data.datamodule import ArrayDataModule
from gradflow.models.initialization import Initializer
from gradflow.models.mlp import MLP
from gradflow.training.fit import measure_initial_weights
from gradflow.training.module import ActivationModule

TRAIN, VALIDATION, TEST = 14, 6, 4  # with batches of 4, the last training batch has 2 samples
FEATURES, CLASSES = 5, 3


def table(*, shape=(FEATURES,), scale=1.0):
    """Random samples with labels 0, 1, 2; images where `shape` has three numbers."""
    generator = np.random.default_rng(0)
    samples = TRAIN + VALIDATION + TEST
    x = (scale * generator.standard_normal((samples, *shape))).astype(np.float32)
    return Arrays(x, np.arange(samples, dtype=np.int64) % CLASSES, "classification", None, TEST)


def small_mlp(activation=nn.ReLU, *, blocks=2, width=6, seed=0, inputs=FEATURES, **options):
    network = MLP((inputs,), CLASSES, activation, blocks=blocks, width=width, **options)
    Initializer("torch", "uniform", "uniform").apply(network.layers, seed)
    return network


@dataclass
class Fit:
    """One training run: its parts, and the scalars in its folder."""

    network: nn.Module
    data: ArrayDataModule
    module: ActivationModule
    trainer: L.Trainer
    folder: Path

    def run(self):
        measure_initial_weights(self.trainer, self.module, self.data)
        self.trainer.fit(self.module, datamodule=self.data)
        return self

    def read(self):
        self.module.write_step_losses()
        for logger in self.trainer.loggers:
            logger.save()
        return EventAccumulator(str(self.folder), size_guidance={"scalars": 0, "images": 0}).Reload()

    def tags(self):
        return set(self.read().Tags()["scalars"])

    def scalars(self, tag):
        """Step to value; a step that was written twice fails."""
        events = self.read().Scalars(tag)
        assert len({event.step for event in events}) == len(events), f"{tag} was written twice"
        return {event.step: event.value for event in events}
