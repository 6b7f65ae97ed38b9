"""Data of the bare loops: uint8 tensors in memory, cut into batches and scaled to float32."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchvision import datasets

Batch = tuple[Tensor, Tensor]
EVAL_BATCH = 1000  # samples


@dataclass(frozen=True)
class Part:
    """Samples of a data set; batches are float32 `x * scale + shift`.

    Attributes:
        x: uint8, shape (samples, ...).
        y: int64, shape (samples,).
    """

    x: Tensor
    y: Tensor
    scale: float
    shift: float

    def __len__(self) -> int:
        return len(self.y)

    def batch(self, index: Tensor) -> Batch:
        """The samples with these numbers, shape (batch,)."""
        x = self.x.index_select(0, index).float().mul_(self.scale).add_(self.shift)
        return x, self.y.index_select(0, index)

    def shuffled(self, batch_size: int, generator: np.random.Generator) -> Iterator[Batch]:
        """All samples once, in a fresh order."""
        for index in torch.from_numpy(generator.permutation(len(self))).split(batch_size):
            yield self.batch(index)

    def in_order(self) -> Iterator[Batch]:
        """All samples once, in batches for evaluation."""
        for index in torch.arange(len(self)).split(EVAL_BATCH):
            yield self.batch(index)


def mnist(data_dir: Path, *, lowest: float, held_out: int | None = None) -> tuple[Part, Part]:
    """Training and validation part of MNIST, flattened.

    Args:
        data_dir: torchvision's root folder.
        lowest: what a black pixel maps to; white maps to 1.
        held_out: how many of the last training images to validate on; None validates on the test images.
    """
    train, test = (datasets.MNIST(str(data_dir), train=train) for train in (True, False))
    scale = (1 - lowest) / 255
    x, y = train.data.flatten(1), train.targets
    if held_out is None:
        return Part(x, y, scale, lowest), Part(test.data.flatten(1), test.targets, scale, lowest)
    return Part(x[:-held_out], y[:-held_out], scale, lowest), Part(x[-held_out:], y[-held_out:], scale, lowest)


def random_images(samples: int) -> Part:
    """Noise in the shape of CIFAR-10, in [-1, 1]."""
    x = torch.randint(256, (samples, 3, 32, 32), dtype=torch.uint8)
    return Part(x, torch.randint(10, (samples,)), 2 / 255, -1.0)
