"""The LightningModule: one training step, the epoch's scores, the best epoch so far."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from gradflow import names
from gradflow.errors import Diverged
from gradflow.logger import RunLogger, write, write_rows
from gradflow.seeds import Stream, torch_seed
from gradflow.steps import StepTable
from gradflow.tasks import Task

Batch = tuple[Tensor, Tensor]


class Pass:
    """One pass over a set: what is needed for its mean loss and its scores, kept on the device."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._losses: list[Tensor] = []
        self._predictions: list[Tensor] = []
        self._targets: list[Tensor] = []

    def add(self, loss: Tensor, outputs: Tensor, targets: Tensor) -> None:
        self._losses.append(loss.detach())
        self._predictions.append(self._task.predict(outputs.detach()))
        self._targets.append(targets)

    def scores(self, prefix: str) -> dict[str, float]:
        """Mean loss over all samples and the task's scores, tagged `<prefix>/<name>`; the pass starts anew."""
        sizes = torch.tensor([len(y) for y in self._targets], dtype=torch.float64)
        losses = torch.stack(self._losses).cpu().double()
        scores = self._task.score(torch.cat(self._predictions), torch.cat(self._targets))
        result = {"loss": float((losses * sizes).sum() / sizes.sum())} | {k: float(v) for k, v in scores.items()}
        self._losses, self._predictions, self._targets = [], [], []
        return {f"{prefix}/{name}": value for name, value in result.items()}


class ActivationModule(L.LightningModule):
    """Train a network on a task; every number is written at the count of updates that its weights have had.

    Args:
        network: maps x of shape (N, ...) to outputs of shape (N, outputs).
        task: loss, prediction and scores.
        optimizer: makes the optimizer from the parameters.
        schedule: makes the learning-rate schedule, stepped once an epoch, from the optimizer; None for a constant rate.
        seed: of the stochastic layers, reseeded at each epoch.
    """

    def __init__(
        self,
        network: nn.Module,
        task: Task,
        *,
        optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        schedule: Callable[[Optimizer], LRScheduler] | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.network = network
        self.task = task
        self._make_optimizer = optimizer
        self._make_schedule = schedule
        self._seed = seed
        self._training, self._evaluation = Pass(task), Pass(task)
        self._step_losses = StepTable()
        self.best_score, self.best_epoch = -math.inf if task.mode == "max" else math.inf, 0
        self.final: dict[str, float] = {}

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        optimizer = self._make_optimizer(self.network.parameters())
        if self._make_schedule is None:
            return optimizer
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": self._make_schedule(optimizer)}}

    def _loss(self, batch: Batch, scores: Pass) -> Tensor:
        x, y = batch
        outputs = self.network(x)
        loss = self.task.loss(outputs, y)
        scores.add(loss, outputs, y)
        return loss

    def on_train_epoch_start(self) -> None:
        torch.manual_seed(torch_seed(self._seed, Stream.STOCHASTIC, self.current_epoch))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        loss = self._loss(batch, self._training)
        self._step_losses.append(self.global_step, loss.detach()[None])
        return loss

    def on_train_epoch_end(self) -> None:
        self.write_step_losses()
        self._finish(self._training.scores("train"))

    def on_validation_epoch_start(self) -> None:
        self._evaluation = Pass(self.task)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._loss(batch, self._evaluation)

    def on_validation_epoch_end(self) -> None:
        if self.trainer.sanity_checking:
            return
        scores = self._evaluation.scores("val")
        if not math.isfinite(scores["val/loss"]):
            raise Diverged(f"the validation loss is not finite after step {self.global_step}")
        value = scores[self.task.monitor]
        if value > self.best_score if self.task.mode == "max" else value < self.best_score:
            self.best_score, self.best_epoch = value, self.current_epoch + 1
        scores[names.best(self.task.monitor)] = self.best_score
        self._finish(scores)
        self.log_dict({self.task.monitor: value, "val/loss": scores["val/loss"]}, logger=False)  # for callbacks

    def on_test_epoch_start(self) -> None:
        self._evaluation = Pass(self.task)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._loss(batch, self._evaluation)

    def test_scores(self) -> dict[str, float]:
        """The scores of the test pass that has just ended, tagged `test/...`."""
        return self._evaluation.scores("test")

    def _finish(self, scores: dict[str, float]) -> None:
        self.final.update(scores)
        write(self.trainer.loggers, scores, self.global_step)

    def write_step_losses(self) -> None:
        """Write the loss of every step since the last call, averaged over the batches of a step."""
        steps, times, losses = self._step_losses.take()
        if not len(steps):
            return
        steps, first, inverse = np.unique(steps, return_index=True, return_inverse=True)
        means = np.bincount(inverse, weights=losses[:, 0]) / np.bincount(inverse)
        write_rows(self.trainer.loggers, [names.TRAIN_LOSS_STEP], steps.tolist(), means[:, None], times[first].tolist())

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["gradflow"] = {
            "best_score": self.best_score,
            "best_epoch": self.best_epoch,
            "final": self.final,
            "stopped": self.trainer.should_stop,
            "events": next((one.sizes() for one in self.trainer.loggers if isinstance(one, RunLogger)), {}),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        state = checkpoint["gradflow"]
        self.best_score, self.best_epoch, self.final = state["best_score"], state["best_epoch"], dict(state["final"])
