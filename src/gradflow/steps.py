"""A table with one row an optimizer step, kept on the device until the epoch ends."""

import time

import numpy as np
import torch
from torch import Tensor


class StepTable:
    """Rows of K numbers, each with the step and the moment it belongs to.

    Rows stay on the device; `take` brings all of them over in one transfer, so that a step never waits for the device.
    """

    def __init__(self) -> None:
        self._rows: list[Tensor] = []
        self._steps: list[int] = []
        self._times: list[float] = []

    def __len__(self) -> int:
        return len(self._rows)

    def append(self, step: int, row_K: Tensor) -> None:
        self._rows.append(row_K)
        self._steps.append(step)
        self._times.append(time.time())

    def take(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Empty the table: steps (S,), moments (S,) in seconds since the epoch, values (S, K) in float64."""
        values = torch.stack(self._rows).cpu().double().numpy() if self._rows else np.empty((0, 0))
        steps, times = np.array(self._steps, dtype=np.int64), np.array(self._times)
        self._rows, self._steps, self._times = [], [], []
        return steps, times, values


def average_windows(values_SK: np.ndarray, every_n_steps: int) -> np.ndarray:
    """Means of consecutive windows of `every_n_steps` rows; the last window may be shorter. Shape (windows, K)."""
    starts = np.arange(0, len(values_SK), every_n_steps)
    lengths = np.diff(np.append(starts, len(values_SK)))
    return np.add.reduceat(values_SK, starts, axis=0) / lengths[:, None]
