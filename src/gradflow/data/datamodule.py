"""The LightningDataModule: one data set, its split and its batches."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, NamedTuple

import lightning as L
import numpy as np
import torch
from torch import Tensor

from gradflow.data.arrays import NUMBERED, Arrays, Task, loaded, unwrapped
from gradflow.data.loader import Batch, BatchLoader, Chunk, ChunkLoader
from gradflow.data.preparation import STATE, Preparation
from gradflow.data.scaling import check_pixel_range, moments, standardized
from gradflow.data.split import Split, SplitOptions, split_rows
from gradflow.errors import ConfigError, check_whole
from gradflow.seeds import Stream, numpy_generator


class Sizes(NamedTuple):
    """Number of samples in each part."""

    train: int
    validation: int
    test: int


class ArrayDataModule(L.LightningDataModule):
    """A data set that fits in memory. Building it checks the options; the first property to be read loads the data.

    Args:
        source: a function that returns the data set, e.g. one of `gradflow.data.sources`.
        batch_size: training samples per batch, over all devices together, at least 1.
        eval_batch_size: validation and test samples per batch, at least 1.
        validation: `last`, `random`, `test` or None, see `SplitOptions`.
        validation_size: fraction or count, see `SplitOptions`.
        test_size: fraction or count, for data without an official test set.
        split_seed: seed of the split.
        resample_split: whether the split follows `seed` too, so that every seed has a split of its own.
        pixel_range: [low, high] that 0..pixel_max is mapped to; None means [0, 1] for pixels, and float data needs it.
        standardize: z-score each feature with the training set's mean and standard deviation; None does so for
            tables only.
        seed: seed of the batch order, and of the split if it is resampled.
        chunk_size: yield chunks of this many training batches; None yields single batches.
        source_options: arguments of `source`.

    Raises:
        ConfigError: if an option is wrong, or (at the first property) does not suit the data.
    """

    def __init__(
        self,
        source: Callable[..., Arrays],
        *,
        batch_size: int,
        eval_batch_size: int = 1000,
        validation: str | None = "random",
        validation_size: float | None = None,
        test_size: float | None = None,
        split_seed: int = 0,
        resample_split: bool = False,
        pixel_range: Sequence[float] | None = None,
        standardize: bool | None = None,
        seed: int = 0,
        chunk_size: int | None = None,
        **source_options: Any,
    ) -> None:
        super().__init__()
        inspect.signature(source).bind(**source_options)  # a TypeError here names what does not fit
        self._source = unwrapped(partial(source, **source_options))
        self.batch_size = check_whole("data.batch_size", batch_size, at_least=1, example=32)
        self.eval_batch_size = check_whole("data.eval_batch_size", eval_batch_size, at_least=1, example=1000)
        self._split_options = SplitOptions(validation, validation_size, test_size, split_seed)
        self._resample_split = resample_split
        self._pixel_range = None if pixel_range is None else check_pixel_range(pixel_range)
        if not isinstance(standardize, bool | None):
            raise ConfigError(f"data.standardize={standardize}: choose true, false or null")
        self._standardize = standardize
        self._seed = seed
        self.chunk_size = chunk_size
        self._tensors: tuple[Tensor, Tensor] | None = None
        self._shard = (0, 1)

    @cached_property
    def arrays(self) -> Arrays:
        """The data set as its source returns it."""
        arrays = loaded(self._source)
        if arrays.pixel_max is None and self._pixel_range is not None:
            raise ConfigError(
                f"data.pixel_range={list(self._pixel_range)}: this data set holds numbers, not pixels; use "
                "data.pixel_range=null"
            )
        if self._standardize and arrays.x.ndim != 2:
            raise ConfigError("data.standardize=true: only tables are standardized; use data.standardize=null")
        return arrays

    @cached_property
    def split(self) -> Split:
        """The rows of each part."""
        return self._split_of(self._seed)

    def check_split(self, seed: int) -> None:
        """Refuse a seed whose split fails with a ConfigError; the data are not read again."""
        _ = self.split if seed == self._seed else self._split_of(seed)

    def _split_of(self, seed: int) -> Split:
        return split_rows(
            self.arrays.y,
            num_test=self.arrays.num_test,
            num_validation=self.arrays.num_validation,
            stratify=self.task in NUMBERED,
            options=replace(self._split_options, resampled_by=seed if self._resample_split else None),
        )

    @property
    def task(self) -> Task:
        """classification, binary, regression or multilabel."""
        return self.arrays.task

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one sample: (channels, height, width) or (features,)."""
        return self.arrays.x.shape[1:]

    @property
    def num_outputs(self) -> int:
        """Number of classes, labels or targets; 1 for binary tasks."""
        return self.arrays.num_outputs

    @property
    def sizes(self) -> Sizes:
        """Samples in training, validation and test set."""
        return Sizes(len(self.split.train), len(self.split.validation), len(self.split.test))

    @property
    def selected_on_test(self) -> bool:
        """Whether the validation set is the test set."""
        return self._split_options.validation == "test"

    @cached_property
    def preparation(self) -> Preparation:
        """How samples become inputs and targets, by what the training set is like."""
        arrays, train = self.arrays, self.split.train
        known: dict[str, Any] = {"pixel_max": arrays.pixel_max}
        known |= {"pixel_range": self._pixel_range} if self._pixel_range else {}
        if arrays.x.ndim == 2 and self._standardize is not False:
            known["feature_mean"], known["feature_sd"] = moments(arrays.x, train)
        if self.task == "regression":
            mean, sd = moments(arrays.y, train)
            targets = standardized(arrays.y[train], mean, sd)
            ends = targets.min(axis=0), targets.max(axis=0)
            if arrays.y.ndim == 1:
                known |= {"target_mean": float(mean), "target_scale": float(sd)}
                known["target_ends"] = float(ends[0]), float(ends[1])
            else:
                known |= {"target_mean": mean, "target_scale": sd, "target_ends": np.stack(ends).astype(np.float64)}
        known |= {"classes": arrays.classes} if arrays.classes else {}
        return Preparation(self.task, self.input_shape, self.num_outputs, **known)

    @property
    def target_scale(self) -> float | np.ndarray:
        """What 1 means in a batch's y; see `Preparation`."""
        return self.preparation.target_scale

    @property
    def target_ends(self) -> tuple[float, float] | np.ndarray:
        """Smallest and largest training target; see `Preparation`."""
        return self.preparation.target_ends

    @property
    def training_targets(self) -> Tensor:
        """The training set's class numbers, labels or standardized regression targets; shape of `y`."""
        return torch.from_numpy(self.preparation.targets(self.arrays.y[self.split.train]))

    def state_dict(self) -> dict[str, Any]:
        """For every checkpoint: what a trained network needs where its data are not."""
        return {STATE: self.preparation.state()}

    def prepare_data(self) -> None:
        """Load the data set, downloading it on first use."""
        _ = self.arrays

    def setup(self, stage: str | None = None) -> None:
        """Move the data to the trainer's device, once; to the CPU if there is no trainer."""
        device = torch.device("cpu")
        if self.trainer is not None:
            _check_trainer(self.trainer)
            device = self.trainer.strategy.root_device
            self._shard = self.trainer.global_rank, self.trainer.world_size
        if self._tensors is None or self._tensors[0].device != device:
            prepared = self.preparation.features(self.arrays.x), self.preparation.targets(self.arrays.y)
            x, y = map(torch.from_numpy, prepared)
            self._tensors = x.to(device), y.to(device)

    def train_dataloader(self) -> BatchLoader | ChunkLoader:
        """Training batches, or chunks of them, reshuffled in each epoch."""
        loader = self._loader(self.split.train, batch_size=self.batch_size, order_seed=self._seed)
        return loader if self.chunk_size is None else ChunkLoader(loader, size=self.chunk_size)

    def whole_batches(self, *, samples: int) -> Iterator[Batch]:
        """Training batches of at least `samples` samples in all, or all there are.

        Drawn from a stream of their own, the same at each call and in every process; without a shorter last batch.
        """
        rows = numpy_generator(self._seed, Stream.STATISTICS).permutation(self.split.train)
        loader = self._loader(rows, batch_size=self.batch_size, shard=(0, 1))
        whole = max(1, self.sizes.train // self.batch_size)
        return map(loader.batch, loader.indices()[: min(whole, -(-samples // self.batch_size))])

    def val_dataloader(self) -> BatchLoader:
        """Validation batches, in order."""
        return self._loader(self.split.validation, batch_size=self.eval_batch_size)

    def test_dataloader(self) -> BatchLoader:
        """Test batches, in order."""
        return self._loader(self.split.test, batch_size=self.eval_batch_size)

    def transfer_batch_to_device(
        self, batch: Batch | Chunk, device: torch.device, dataloader_idx: int
    ) -> Batch | Chunk:
        """Nothing to do: batches are cut on the device."""
        return batch

    def _loader(
        self,
        rows: np.ndarray,
        *,
        batch_size: int,
        order_seed: int | None = None,
        shard: tuple[int, int] | None = None,
    ) -> BatchLoader:
        assert self._tensors is not None, "call setup() first"
        scale, shift = self.preparation.scale_and_shift
        return BatchLoader(
            *self._tensors,
            rows,
            batch_size=batch_size,
            scale=scale,
            shift=shift,
            order_seed=order_seed,
            shard=shard or self._shard,
        )


def _check_trainer(trainer: L.Trainer) -> None:
    overfit = trainer.overfit_batches  # type: ignore[attr-defined]  # Lightning sets it from outside the class
    if overfit > 0:  # Lightning can only stop the shuffling of torch's own DataLoader
        raise ConfigError(
            f"trainer.overfit_batches={overfit}: the batches would change in each epoch anyway; "
            "use trainer.limit_train_batches"
        )
