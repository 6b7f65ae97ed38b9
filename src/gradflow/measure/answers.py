"""Which samples of a set a classifier gets right."""

import torch
from torch import Tensor
from torchmetrics import Metric


class Answers(Metric):
    """Which samples of a set were classified rightly, in the order of the set, over all processes that train the run.

    Args:
        positions: where the samples of this process stand in the set, in the order of the updates, int64. There may be
            more of them than samples.
        size: samples of the set.
    """

    right: Tensor
    seen: Tensor

    def __init__(self, positions: Tensor, *, size: int) -> None:
        super().__init__()
        for name in ("right", "seen"):
            self.add_state(name, torch.zeros(size, dtype=torch.int32), dist_reduce_fx="sum")
        self._positions = positions
        self._count = 0

    def update(self, right: Tensor) -> None:
        """Add the next samples: whether each was classified rightly, bool."""
        places = self._positions[self._count : self._count + len(right)].to(right.device)
        self._count += len(right)
        self.seen[places] = 1
        self.right[places] = right.to(self.right)

    def compute(self) -> Tensor:
        """1 right, 0 wrong, -1 not seen, int32, shape (size,)."""
        return self.right + self.seen - 1
