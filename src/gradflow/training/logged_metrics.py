"""What somebody's LightningModule logs: collected, written at the step of the weights it describes, and kept.

Lightning writes an epoch's training values after its checkpoint, so that an interruption would lose them. Here every
value of a training step is written at the number of updates made before it, under its name with `_step`, and every
value of an epoch at the number made by its end, before the checkpoint. What is logged at steps only has its mean over
the epoch's steps as the epoch's value.
"""

import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.loggers import Logger
from lightning.pytorch.loggers.logger import DummyLogger
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor

from gradflow.errors import Diverged
from gradflow.runs.scalars import write, write_rows
from gradflow.training.epoch_scores import EpochScores

STEP, EPOCH = "_step", "_epoch"  # Lightning's ends of a name that is logged both at every step and once an epoch
LIGHTNINGS = "epoch"  # what Lightning adds to the values that a module logs, and nobody else does
_EPOCH_VALUE = re.compile(rf"{EPOCH}(?=$|/dataloader_idx_)")  # of several loaders the number follows
HPARAMS = ("hyper_parameters", "datamodule_hyper_parameters")  # entries of a checkpoint
RUN_AHEAD = 50  # steps between two looks at an accelerator's losses: reading a value stalls it


class LoggedMetrics(Checkpoint):
    """Collects what a module logs, and ends a run whose loss is no longer finite.

    A `Checkpoint` for Lightning, so that it is called after the module's own hooks; it must come before those that
    save, and its `loggers` must be among the trainer's.

    Args:
        scores: gets the values of each epoch.

    Attributes:
        scores: as above.
        tested: what the last test pass has logged.
    """

    def __init__(self, scores: EpochScores) -> None:
        self.scores = scores
        self.tested: dict[str, float] = {}
        self.collector = _Steps(self)
        self._update = 0  # made before the batch that is being trained on
        self._rows: list[tuple[int, float, dict[str, float]]] = []
        self._seen: dict[str, Tensor] = {}  # what was logged by the end of the last epoch
        self._losses: list[tuple[int, Tensor]] = []
        self._takes_step = False  # whether what Lightning logs next is of a training step
        self._writes = False  # whether a logger is being called by this object
        self._trainer: L.Trainer | None = None

    def loggers(self, loggers: Sequence[Logger]) -> list[Logger]:
        """The loggers for the trainer: the run's own, the first of which is `self.logger`, and one that collects."""
        return [*map(self._without_lightnings, loggers), self.collector]

    def _without_lightnings(self, logger: Logger) -> Logger:
        """The logger, deaf to what Lightning passes on by itself; hyperparameters are those of the configuration."""
        log_metrics: Callable[..., None] = logger.log_metrics

        def filtered(metrics: Mapping[str, float], step: int | None = None) -> None:
            if self._writes or not self._is_lightnings(metrics):
                log_metrics(metrics, step)

        logger.log_metrics = filtered  # type: ignore[method-assign]
        logger.log_hyperparams = lambda *_, **__: None  # type: ignore[method-assign]
        return logger

    def _is_lightnings(self, metrics: Mapping[str, float]) -> bool:
        """Whether a module has logged these values, whatever a callback writes by itself."""
        trainer = self._trainer
        if LIGHTNINGS in metrics or trainer is None:
            return True
        is_evaluation = trainer.validating or trainer.testing or trainer.sanity_checking
        return is_evaluation and metrics.keys() <= trainer.logged_metrics.keys()  # at the steps of a validation

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        self._trainer = trainer

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._update, self._takes_step = trainer.global_step, True

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        if isinstance(loss, Tensor):
            self._losses.append((self._update, loss.detach()))
        if pl_module.device.type == "cpu" or len(self._losses) >= RUN_AHEAD:
            self._check_losses()

    def _check_losses(self) -> None:
        losses, self._losses = self._losses, []
        if losses and not bool(torch.stack([loss.float().sum() for _, loss in losses]).isfinite().all()):
            step = next(step for step, loss in losses if not bool(loss.isfinite().all()))
            raise Diverged(f"the loss is not finite at step {step}")

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._takes_step = False
        self._check_losses()

    def on_test_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.tested = _numbers(trainer.callback_metrics)

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        if isinstance(exception, Diverged):  # an interrupted epoch is trained again, a diverged one is not
            self._write_steps(trainer, _both(trainer.callback_metrics))

    def take(self, metrics: Mapping[str, float]) -> None:
        """Keep what Lightning logs of a training step.

        Raises:
            Diverged: if a loss among it is not finite.
        """
        if LIGHTNINGS not in metrics or not self._takes_step:
            return
        self._takes_step = False
        values = {name: float(value) for name, value in metrics.items() if name != LIGHTNINGS}
        self._rows.append((self._update, time.time(), values))
        for name, value in values.items():
            if "loss" in name.lower() and not math.isfinite(value):
                raise Diverged(f"{name} is not finite at step {self._update}")

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._takes_step = False
        self._check_losses()
        both = _both(trainer.callback_metrics)
        means = self._write_steps(trainer, both)
        for name, mean in means.items():  # for callbacks that follow it, such as that of the best epoch
            pl_module.log(name, mean, on_step=False, on_epoch=True, logger=False, batch_size=1)
        logged = dict(trainer.callback_metrics)
        fresh = {name: value for name, value in logged.items() if self._seen.get(name) is not value}
        self._seen = logged
        of_steps = [name + STEP for name in both]
        values = _numbers({name: value for name, value in fresh.items() if name not in of_steps}) | means
        self._rank(values, trainer)
        self.scores.latest.update(values)
        self._write(lambda: write(trainer.loggers, values, trainer.global_step))

    def _rank(self, values: dict[str, float], trainer: L.Trainer) -> None:
        """Compare this epoch with the best so far, by the monitored value, to which the best is added."""
        monitor = self.scores.monitor
        if monitor not in values:  # a limit of steps has ended the epoch before its validation
            return
        if not math.isfinite(values[monitor]):
            raise Diverged(f"{monitor} is not finite after step {trainer.global_step}")
        values |= self.scores.rank(values[monitor], epoch=trainer.current_epoch + 1)

    def _write_steps(self, trainer: L.Trainer, both: set[str]) -> dict[str, float]:
        """Write the values of the steps since the last call; the means of those that are logged at steps only."""
        rows, self._rows = self._rows, []
        names = list(dict.fromkeys(name for _, _, values in rows for name in values))
        forked = {name for name in names if name.removesuffix(STEP) in both and name.endswith(STEP)}
        table = np.array([[values.get(name, math.nan) for name in names] for _, _, values in rows])
        tags = [name if name in forked else name + STEP for name in names]
        if names:
            steps, times = [step for step, _, _ in rows], [moment for _, moment, _ in rows]
            self._write(lambda: write_rows(trainer.loggers, tags, steps, table, times))
        columns = dict(zip(names, table.T, strict=True)) if names else {}
        return {name: _mean(column) for name, column in columns.items() if name not in forked}

    def _write(self, call: Callable[[], None]) -> None:
        self._writes = True
        try:
            call()
        finally:
            self._writes = False

    def on_save_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        self.scores.save(checkpoint, trainer)
        for entry in HPARAMS:
            if entry in checkpoint:
                checkpoint[entry] = {key: value for key, value in checkpoint[entry].items() if _is_plain(value)}

    def on_load_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        if trainer.state.fn == TrainerFn.FITTING:
            self.scores.load(checkpoint)


class _Steps(DummyLogger):
    """Passes on what Lightning logs."""

    def __init__(self, metrics: LoggedMetrics) -> None:
        super().__init__()
        self._metrics = metrics

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self._metrics.take(metrics)


def _mean(values_S: np.ndarray) -> float:
    """Mean over the steps at which something was logged; NaN if nothing was."""
    known = values_S[~np.isnan(values_S)]
    return float(known.mean()) if len(known) else math.nan


def _both(logged: Mapping[str, Any]) -> set[str]:
    """The names that are logged both at every step and once an epoch."""
    return {name for name in logged if name + STEP in logged and name + EPOCH in logged}


def _numbers(logged: Mapping[str, Tensor]) -> dict[str, float]:
    """As numbers, each once: what is logged at steps too is there a second time, as `NAME_epoch`."""
    found = {name: float(value) for name, value in logged.items()}
    return {name: value for name, value in found.items() if not _is_second(name, found)}


def _is_second(name: str, found: Mapping[str, float]) -> bool:
    stem = _EPOCH_VALUE.sub("", name)
    return stem != name and found.get(stem) == found[name]


def _is_plain(value: Any) -> bool:
    """Whether a checkpoint that holds it can be read without running code."""
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return type(value) in (list, tuple) and all(map(_is_plain, value))
    return value is None or type(value) in (bool, int, float, str)
