"""The random numbers of an epoch depend on seed and epoch alone, in anybody's module and with anybody's data.

So a run that is resumed after an epoch goes on as if it had not been interrupted. Python's, NumPy's and torch's global
generators are seeded at three moments of every epoch: before its hooks, before its first batch is drawn, and before
the first batch is used. Lightning creates the iterator over the batches before the hooks of an attempt's first epoch
and after those of all others; `EpochLoader` therefore begins only when the first batch is asked for.
"""

import random
from collections.abc import Iterator
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.fabric.utilities.data import sized_len
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities import CombinedLoader

from gradflow.seeds import Stream, torch_seed


def seed_everything(seed: int) -> None:
    """Seed the global generators of Python, NumPy and torch with one number of 63 bits."""
    random.seed(seed)
    np.random.seed(np.random.SeedSequence(seed).generate_state(4))  # noqa: NPY002 - what other people's code draws from
    torch.manual_seed(seed)


class EpochSeeds(Callback):
    """Seeds what the hooks and the training steps of an epoch draw; it must come before other callbacks.

    Args:
        seed: of the run.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        seed_everything(torch_seed(self._seed, Stream.HOOKS, trainer.current_epoch))

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if batch_idx == 0:
            seed_everything(torch_seed(self._seed, Stream.STOCHASTIC, trainer.current_epoch))


class EpochLoader(CombinedLoader):
    """The loaders of a training set, seeded when the first batch of an epoch is asked for.

    A generator that a loader or its sampler has of its own is seeded too, and workers start anew in each epoch, even
    persistent ones. What the data set keeps for itself is not known.

    Args:
        loaders: what `train_dataloader` returns.
        seed: of the run.
        trainer: tells the epoch.
    """

    def __init__(self, loaders: Any, *, seed: int, trainer: L.Trainer) -> None:
        if isinstance(loaders, CombinedLoader):
            super().__init__(loaders.iterables, loaders._mode)
        else:
            super().__init__(loaders, "max_size_cycle")
        self._seed, self._trainer = seed, trainer
        self._has_begun = False

    def __iter__(self) -> "EpochLoader":
        self._has_begun = False
        loaders = self.flattened
        self.flattened = [_FromFirstBatch(one, self) for one in loaders]
        super().__iter__()
        self.flattened = loaders
        return self

    def begin(self) -> None:
        """Seed the epoch, once, and end the workers of the one before, which would keep their random state."""
        if self._has_begun:
            return
        self._has_begun = True
        CombinedLoader(self.flattened, "sequential").reset()
        seed = self.seed_with(Stream.ORDER)
        for one in self.flattened:
            batches = getattr(one, "batch_sampler", None)
            for holder in (one, getattr(one, "sampler", None), batches, getattr(batches, "sampler", None)):
                if isinstance(generator := getattr(holder, "generator", None), torch.Generator):
                    generator.manual_seed(seed)

    def seed_with(self, stream: Stream) -> int:
        """Seed the global generators from a stream of the epoch that comes next; the seed.

        When a run resumes, `current_epoch` is still the epoch before; samplers are told this one, too.
        """
        epoch = self._trainer.fit_loop.epoch_progress.current.processed  # type: ignore[attr-defined]
        seed = torch_seed(self._seed, stream, epoch)
        seed_everything(seed)
        return seed


class _FromFirstBatch:
    """A loader whose iterator begins with its first batch."""

    def __init__(self, loader: Any, epoch: EpochLoader) -> None:
        self._loader, self._epoch = loader, epoch

    def __iter__(self) -> Iterator[Any]:
        self._epoch.begin()
        batches = iter(self._loader)
        if sized_len(self._loader) is None:  # Lightning looks one batch ahead, in the first epoch before the hooks
            for first in batches:
                yield first
                self._epoch.seed_with(Stream.LATER_BATCHES)
                break
        yield from batches

    def __len__(self) -> int:
        if (length := sized_len(self._loader)) is None:
            raise TypeError("its loader has no length")
        return length


def seed_epochs(data: L.LightningDataModule, *, seed: int, trainer: L.Trainer) -> None:
    """Let a data module hand out its training set as an `EpochLoader`."""
    own = data.train_dataloader
    data.train_dataloader = lambda: EpochLoader(own(), seed=seed, trainer=trainer)  # type: ignore[method-assign]
