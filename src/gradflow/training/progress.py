"""A run says in its folder how far it is; what the screen shows of it is the sweep's business."""

import time
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback

from gradflow.runs.progress import Progress, remove_progress, write_progress

WRITES_EVERY_S = 0.5  # at most
_SHARE = 0.01  # of the time that may be spent on writing, where disks are slow


class RunProgress(Callback):
    """Write epochs done and the latest validation score, twice a second at most, and less often on a slow disk.

    Args:
        folder: the run folder.
        score: tag of the validation score.
    """

    def __init__(self, folder: Path, *, score: str) -> None:
        self._folder = folder
        self._score = score
        self._words = ""
        self._next_s = 0.0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._words, self._next_s = "", 0.0
        self._batches = max(1.0, float(trainer.num_training_batches))  # infinite of a loader without a length
        self._write(trainer, trainer.current_epoch)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._write(trainer, trainer.current_epoch + (batch_idx + 1) / self._batches)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self._score in trainer.callback_metrics:
            self._words = f"{self._score} {float(trainer.callback_metrics[self._score]):.3f}"
        self._write(trainer, trainer.current_epoch + 1)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        remove_progress(self._folder)

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        remove_progress(self._folder)

    def _write(self, trainer: L.Trainer, epoch: float) -> None:
        """Write, unless that was done just before."""
        if trainer.is_global_zero and (begun := time.monotonic()) >= self._next_s:
            epochs = trainer.max_epochs if (trainer.max_epochs or 0) > 0 else None
            write_progress(self._folder, Progress(epoch, epochs, self._words))
            written = time.monotonic()
            self._next_s = written + max(WRITES_EVERY_S, (written - begun) / _SHARE)
