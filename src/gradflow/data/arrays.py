"""What a data source returns: all samples in two arrays."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Task = Literal["classification", "binary", "regression"]
TASKS: tuple[Task, ...] = ("classification", "binary", "regression")


@dataclass(frozen=True, eq=False)  # comparing arrays has no truth value
class Arrays:
    """A whole data set in memory, shared by all runs of a process and never written to.

    Attributes:
        x: images uint8 (pixels) or float32, shape (samples, channels, height, width), or tables float32, shape
            (samples, features); contiguous.
        y: class numbers int64 in [0, classes), for binary tasks in {0, 1}, or regression targets float32 in their own
            unit, shape (samples,).
        task: what y means; it selects the loss.
        pixel_max: the value of a white pixel in uint8 images (255; 16 for digits); None for float32 data.
        num_test: how many samples at the end are the official test set; 0 if there is none.
    """

    x: np.ndarray
    y: np.ndarray
    task: Task
    pixel_max: int | None
    num_test: int = 0

    def __post_init__(self) -> None:
        assert self.task in TASKS, self.task
        assert self.x.dtype == (np.float32 if self.pixel_max is None else np.uint8), self.x.dtype
        assert self.y.dtype == (np.float32 if self.task == "regression" else np.int64), self.y.dtype
        assert self.x.ndim == 4 or (self.x.ndim == 2 and self.pixel_max is None), self.x.shape
        assert self.x.flags.c_contiguous
        assert self.y.shape == (len(self.x),), (self.x.shape, self.y.shape)
        assert 0 <= self.num_test < len(self.x), self.num_test

    @property
    def num_outputs(self) -> int:
        """Outputs that a network needs: the number of classes, or 1 for binary tasks (one logit) and regression."""
        return int(self.y.max()) + 1 if self.task == "classification" else 1
