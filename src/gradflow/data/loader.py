"""Batches cut from whole tensors on the device: no workers, no collation, no copy from the host per batch."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from gradflow.data.preparation import scaled
from gradflow.seeds import Stream, numpy_generator

Batch = tuple[Tensor, Tensor]


class EpochOrder:
    """The rows of an epoch in an order that depends on seed and epoch only, whatever the device."""

    def __init__(self, rows: np.ndarray, *, seed: int) -> None:
        self.rows = rows
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Lightning calls this before each epoch, resumed ones included."""
        self.epoch = epoch

    def order(self) -> np.ndarray:
        """All rows once, in the order of the epoch, shape of `rows`."""
        return self.rows[numpy_generator(self.seed, Stream.ORDER, self.epoch).permutation(len(self.rows))]


class BatchLoader:
    """Iterates over (x, y) batches on the device of the tensors; the last batch may be shorter.

    Args:
        x: all samples, uint8 or float32, shape (samples, ...). It is not changed.
        y: all labels or targets, shape (samples,).
        rows: the samples to iterate over, int64.
        batch_size: samples per batch, at least 1.
        scale: batches are float32 `x * scale + shift`.
        shift: see `scale`.
        order_seed: reshuffle in each epoch with this seed; None keeps the order of `rows`.
        shard: rank of this process and number of processes. Each gets a part of every batch, and together they get
            every sample once; the parts differ by at most one sample, so that of a short last batch some may be empty.
    """

    # Lightning looks for `sampler` (to set the epoch) and then expects `batch_sampler`, as on torch's DataLoader.
    batch_sampler = None

    def __init__(
        self,
        x: Tensor,
        y: Tensor,
        rows: np.ndarray,
        *,
        batch_size: int,
        scale: float = 1.0,
        shift: float = 0.0,
        order_seed: int | None = None,
        shard: tuple[int, int] = (0, 1),
    ) -> None:
        self.x, self.y, self.rows = x, y, rows
        self.batch_size = batch_size
        self.scale, self.shift = scale, shift
        self.rank, self.processes = shard
        self.sampler = None if order_seed is None else EpochOrder(rows, seed=order_seed)

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        for index in self.indices():
            yield self.batch(index)

    def indices(self) -> tuple[Tensor, ...]:
        """The row numbers of this process's part of each batch of this epoch, int64, on the device of the tensors."""
        # To be called at the first batch, not before: Lightning creates the iterator before it sets the epoch.
        order = self.rows if self.sampler is None else self.sampler.order()
        return self._parts(torch.from_numpy(order).to(self.x.device))

    def positions(self) -> Tensor:
        """Where this process's samples stand in `rows`, batch after batch, if the order is kept; int64, on the CPU."""
        return torch.cat(self._parts(torch.arange(len(self.rows))))

    def _parts(self, order: Tensor) -> tuple[Tensor, ...]:
        """This process's part of each batch."""
        whole = order.split(self.batch_size)
        return whole if self.processes == 1 else tuple(one.tensor_split(self.processes)[self.rank] for one in whole)

    def samples(self, batch: int) -> int:
        """How many samples batch number `batch` has in all processes together."""
        return min(self.batch_size, len(self.rows) - batch * self.batch_size)

    def batch(self, index: Tensor) -> Batch:
        """The samples with these row numbers, x in float32.

        Args:
            index: int64, shape (batch,), on the device of the tensors.
        """
        x = self.x.index_select(0, index).float()
        return scaled(x, self.scale, self.shift), self.y.index_select(0, index)  # index_select has made a copy


class Chunk:
    """Several consecutive batches, each cut when its turn comes.

    Args:
        loader: cuts the batches.
        indices: the row numbers of each batch.
    """

    def __init__(self, loader: BatchLoader, indices: tuple[Tensor, ...]) -> None:
        self._loader = loader
        self._indices = indices

    def __iter__(self) -> Iterator[Batch]:
        return map(self._loader.batch, self._indices)


class ChunkLoader:
    """Iterates over chunks of up to `size` batches of a loader, in its order."""

    batch_sampler = None

    def __init__(self, loader: BatchLoader, *, size: int) -> None:
        self.loader = loader
        self.size = size
        self.sampler = loader.sampler

    def __len__(self) -> int:
        return -(-len(self.loader) // self.size)

    def __iter__(self) -> Iterator[Chunk]:
        indices = self.loader.indices()
        for start in range(0, len(indices), self.size):
            yield Chunk(self.loader, indices[start : start + self.size])
