"""What a run keeps of its epochs, whoever's module it trains: the latest values, and which epoch is the best so far."""

import math
from collections.abc import Mapping
from typing import Any

import lightning as L

from gradflow.runs import tags
from gradflow.runs.further_logger import flush
from gradflow.runs.logger import RunLogger

ENTRY = "gradflow"  # of a checkpoint: what resuming needs besides Lightning's own


class EpochScores:
    """The latest values by tag, and the epoch that is best by one of them.

    Args:
        monitor: tag of the value by which epochs are ranked.
        mode: whether `max` or `min` of it is best; of equal ones the earliest is.

    Attributes:
        monitor: as above.
        mode: as above.
        latest: the last value of each tag.
        best: of the monitored value; infinite before the first epoch.
        best_epoch: its epoch, counted from 1; 0 before the first.
    """

    def __init__(self, monitor: str, mode: str) -> None:
        self.monitor, self.mode = monitor, mode
        self.latest: dict[str, float] = {}
        self.best, self.best_epoch = -math.inf if mode == "max" else math.inf, 0

    def rank(self, value: float, *, epoch: int) -> dict[str, float]:
        """Compare the value of an epoch (counted from 1) with the best so far, which is returned by its own tag."""
        if value > self.best if self.mode == "max" else value < self.best:
            self.best, self.best_epoch = value, epoch
        return {tags.best(self.monitor): self.best}

    def final(self) -> dict[str, float]:
        """For run.json: the latest values, and the number of the best epoch if there is one."""
        return self.latest | ({tags.BEST_EPOCH: self.best_epoch} if self.best_epoch else {})

    def save(self, checkpoint: dict[str, Any], trainer: L.Trainer) -> None:
        """Put into a checkpoint what resuming needs: the scores, how the run stands, the sizes of the curves."""
        checkpoint[ENTRY] = {
            "best_score": self.best,
            "best_epoch": self.best_epoch,
            "final": self.latest,
            "stopped": trainer.should_stop,
            "events": next((one.sizes() for one in trainer.loggers if isinstance(one, RunLogger)), {}),
            "loggers": flush(trainer.loggers),
        }

    def load(self, checkpoint: Mapping[str, Any]) -> None:
        """Go on from where `save` was called."""
        state = checkpoint[ENTRY]
        self.best, self.best_epoch, self.latest = state["best_score"], state["best_epoch"], dict(state["final"])
