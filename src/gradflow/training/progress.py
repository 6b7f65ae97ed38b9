"""One progress bar for the whole run, on terminals only."""

from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gradflow.terminal import console


class RunProgress(Callback):
    """Show epochs done, the latest validation score and the time left.

    Args:
        title: what is running.
        score: tag of the validation score to show.
    """

    def __init__(self, title: str, *, score: str) -> None:
        self._title = title
        self._score = score
        self._bar: Progress | None = None

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not console.is_terminal or not trainer.is_global_zero:
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("epochs"))
        self._bar = Progress(
            *columns, TextColumn("{task.fields[score]}"), TimeRemainingColumn(), console=console, transient=True
        )
        self._bar.add_task(self._title, total=trainer.max_epochs, completed=trainer.current_epoch, score="")
        self._batches = max(1, int(trainer.num_training_batches))
        self._bar.start()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=trainer.current_epoch + (batch_idx + 1) / self._batches)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self._bar is not None and self._score in trainer.callback_metrics:
            score = f"{self._score} {float(trainer.callback_metrics[self._score]):.3f}"
            self._bar.update(self._bar.task_ids[0], score=score)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._stop()

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
