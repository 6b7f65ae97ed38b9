"""What happened at each optimizer step, kept on the device until it is read."""

import time
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class Steps(NamedTuple):
    """S steps in order, on the host.

    Attributes:
        steps: int64, shape (S,).
        times: seconds since the epoch, shape (S,).
        values: float64, shape (S, K).
    """

    steps: np.ndarray
    times: np.ndarray
    values: np.ndarray


class StepTable:
    """Rows of K numbers, each with its step and time.

    Rows stay on the device until they are read, all in one transfer, so that a step never waits for the device.
    """

    def __init__(self) -> None:
        self._seen = 0
        self.clear()

    def __len__(self) -> int:
        return len(self._steps)

    def append(self, step: int, *parts: Tensor) -> None:
        """Add a row, given as consecutive vectors."""
        self._parts.append(parts)
        self._steps.append(step)
        self._times.append(time.time())

    @property
    def unseen(self) -> int:
        """How many rows were added since the last look."""
        return len(self) - self._seen

    def look(self) -> Steps:
        """The rows that were added since the last look."""
        start, self._seen = self._seen, len(self)
        return self._read(start)

    def read(self) -> Steps:
        """All rows; this does not count as a look."""
        return self._read(0)

    def take(self, rows: int) -> Steps:
        """The first `rows` rows, which are then removed."""
        taken = self._read(0, rows)
        for column in (self._parts, self._steps, self._times):
            del column[:rows]
        self._seen = max(self._seen - rows, 0)
        return taken

    @property
    def last_step(self) -> int | None:
        """The step of the last row; None if there is no row."""
        return self._steps[-1] if self._steps else None

    def _read(self, start: int, end: int | None = None) -> Steps:
        columns = [torch.stack(part) for part in zip(*self._parts[start:end], strict=True)]
        values = torch.cat(columns, dim=1).cpu().double().numpy() if columns else np.empty((0, 0))
        return Steps(np.array(self._steps[start:end], dtype=np.int64), np.array(self._times[start:end]), values)

    def truncate(self, rows: int) -> None:
        """Keep the first `rows` rows."""
        for column in (self._parts, self._steps, self._times):
            del column[rows:]
        self._seen = min(self._seen, rows)

    def clear(self) -> None:
        self._parts: list[tuple[Tensor, ...]] = []
        self._steps: list[int] = []
        self._times: list[float] = []
        self._seen = 0


def average_windows(values_SK: np.ndarray, every_n_steps: int) -> np.ndarray:
    """Means of consecutive windows of `every_n_steps` rows; the last window may be shorter. Shape (windows, K)."""
    starts = np.arange(0, len(values_SK), every_n_steps)
    lengths = np.diff(np.append(starts, len(values_SK)))
    return np.add.reduceat(values_SK, starts, axis=0) / lengths[:, None]
