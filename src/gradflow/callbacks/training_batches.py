"""Training batches for a measurement in the middle of training, which must not notice."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.utilities.seed import isolate_rng
from torch.utils.data import DataLoader, IterableDataset

from gradflow.errors import ConfigError

_SEED = 0  # the same batches at every evaluation


def training_batches(trainer: L.Trainer) -> Iterator[Any] | None:
    """Batches of the trainer's own training dataloader, on its device: the same ones at each call.

    They are taken from the loader's dataset, batch sampler and collate function by this process: iterating the loader
    itself could restart the workers that training is using. Take them inside `undisturbed`.

    Returns:
        None before the trainer has set up its training data, and in tests without training.

    Raises:
        ConfigError: if it is no `DataLoader`, or its dataset can only be iterated.
    """
    loader = trainer.train_dataloader
    if loader is None:
        return None
    if not isinstance(loader, DataLoader) or isinstance(loader.dataset, IterableDataset):
        kind = type(loader.dataset if isinstance(loader, DataLoader) else loader).__name__
        raise ConfigError(
            f"PreciseBatchNorm takes batches from one DataLoader whose dataset has indices, and the training data is "
            f"a {kind}: leave evaluation to the running averages"
        )
    return (trainer.strategy.batch_to_device(batch) for batch in _batches(loader))


def _batches(loader: DataLoader[Any]) -> Iterator[Any]:
    if loader.batch_sampler is None:  # no automatic batching: the dataset makes batches
        yield from (loader.collate_fn(loader.dataset[index]) for index in loader.sampler)
    else:
        for indices in loader.batch_sampler:
            yield loader.collate_fn([loader.dataset[index] for index in indices])


@contextmanager
def undisturbed(trainer: L.Trainer) -> Iterator[None]:
    """Within it, random numbers are those of a fixed seed; afterwards all generators are where they were."""
    loader = trainer.train_dataloader
    samplers = (getattr(loader, name, None) for name in ("sampler", "batch_sampler"))
    owners = chain([loader], samplers)
    generators = [found for one in owners if (found := getattr(one, "generator", None)) is not None]
    states = [generator.get_state() for generator in generators]
    with isolate_rng():
        torch.manual_seed(_SEED)
        random.seed(_SEED)
        np.random.seed(_SEED)  # noqa: NPY002 - that of anybody's dataset
        for generator in generators:
            generator.manual_seed(_SEED)
        try:
            yield
        finally:
            for generator, state in zip(generators, states, strict=True):
                generator.set_state(state)
