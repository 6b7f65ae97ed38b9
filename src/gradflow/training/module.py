"""The LightningModule: training steps and what each records, the scores of an epoch, the best epoch so far."""

import math
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.trainer.states import TrainerFn
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from gradflow.data.loader import Batch, BatchLoader, Chunk
from gradflow.errors import Diverged
from gradflow.measure.answers import Answers
from gradflow.measure.gradients import gradient_row
from gradflow.measure.scores import Pass, Task
from gradflow.measure.steps import StepTable
from gradflow.runs import tags
from gradflow.runs.scalars import write, write_rows
from gradflow.seeds import Stream, torch_seed
from gradflow.training.compiled_update import CompiledUpdate, compiled_training
from gradflow.training.epoch_scores import EpochScores
from gradflow.training.schedules import STEP, Schedule
from gradflow.training.update_count import count_for_both, count_update
from gradflow.training.weight_decay import optimizer_for

RUN_AHEAD = 50  # steps between two checks of an accelerator's losses and gradients: reading a value stalls it


class ActivationModule(L.LightningModule):
    """Train a network on a task; every number is written at the step (updates so far) of the weights it describes.

    Args:
        network: maps x of shape (N, ...) to outputs of shape (N, outputs).
        task: loss, prediction and scores.
        optimizer: makes the optimizer from the parameters, or from groups of them.
        schedule: the learning-rate schedule; None: constant rate.
        seed: of the stochastic layers, reseeded at each epoch.
        activation: the class of the network's activations, whose parameters do not decay.
        updates_itself: whether a training step is a chunk of batches with one update each (Lightning's manual
            optimization); the weights are bit-identical to those of automatic optimization.
        compiles: whether training steps are compiled: a whole update, or the network's passes alone.
    """

    def __init__(
        self,
        network: nn.Module,
        task: Task,
        *,
        optimizer: Callable[[Any], Optimizer],
        schedule: Schedule | None = None,
        seed: int = 0,
        activation: type[nn.Module] = nn.Identity,
        updates_itself: bool = False,
        compiles: bool = False,
    ) -> None:
        super().__init__()
        self.automatic_optimization = not updates_itself
        self.network = network
        self.task = task
        self._make_optimizer = optimizer
        self._schedule = schedule
        self._seed = seed
        self._activation = activation
        self._compiles = compiles
        self._compiled: CompiledUpdate | None = None
        self.steps = StepTable()  # loss, gradient norms (T,), and if asked for their absolute sums (T,)
        self.keeps_abs_sums = False
        self.trained: list[nn.Parameter] = []  # the T tensors
        self._processes = 1  # that train this run
        self._step_losses: list[Tensor] = []
        self.scores = EpochScores(task.monitor, task.mode)
        self.test_scores: dict[str, float] = {}  # of the test pass that has ended last, tagged `test/...`
        self.test_answers: np.ndarray | None = None  # of the same pass, as `Pass.answers` has them

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        optimizer = optimizer_for(self.network, self._make_optimizer, self._activation)
        if self._schedule is None:
            return optimizer
        return {
            "optimizer": optimizer,
            "lr_scheduler": self._schedule.described(optimizer, automatic=self.automatic_optimization),
        }

    def lr_scheduler_step(self, scheduler: Any, metric: Any) -> None:
        """Under automatic optimization Lightning steps what follows no score."""
        if self._schedule is not None and self._schedule.monitor is None:
            scheduler.step()

    def loss(self, batch: Batch, scores: Pass, network: Callable[[Tensor], Tensor]) -> Tensor:
        """The loss of a batch; loss and outputs are added to the scores of a pass."""
        x, y = batch
        outputs = network(x)
        # A process without a sample of the last batch has no loss, but takes part in the gradient.
        loss = self.task.loss(outputs, y) if len(y) else outputs.sum()
        scores.add(loss, outputs, y)
        return loss

    def _evaluate(self, batch: Batch) -> None:
        # Not through `__call__`, which may be compiled: compiled code ignores the hooks of the unit statistics.
        self.loss(batch, self._evaluation, self.network.forward)

    def setup(self, stage: str) -> None:
        self.trained = [p for p in self.parameters() if p.requires_grad]

    def on_train_start(self) -> None:
        self._processes = self.trainer.world_size
        if self._compiles:
            whole = not self.automatic_optimization and "mixed" not in str(self.trainer.precision)
            self._compiled = compiled_training(
                self.network, self.task.loss, self.trainer.optimizers, whole=whole, abs_sums=self.keeps_abs_sums
            )

    def on_train_epoch_start(self) -> None:
        torch.manual_seed(torch_seed(self._seed, Stream.STOCHASTIC, self.current_epoch, process=self.global_rank))
        self._training = Pass(self.task, self.device)

    def training_step(self, batch: Batch | Chunk, batch_idx: int) -> Tensor | None:
        """The loss of a batch; if the loader yields chunks of batches, one update per batch."""
        if isinstance(batch, Chunk):
            self._update_with_each(batch)
            return None
        return self._training_loss(batch, share=self._share(batch, batch_idx))

    def _share(self, batch: Batch, batch_idx: int) -> float:
        """The factor that turns the distributed gradient, a mean over processes, into the mean over the batch."""
        if self._processes == 1:
            return 1.0
        loader = self.trainer.train_dataloader
        assert isinstance(loader, BatchLoader)
        return self._processes * len(batch[1]) / loader.samples(batch_idx)

    def _update_with_each(self, chunk: Chunk) -> None:
        """What Lightning's automatic optimization does per batch, without its hooks, which take 0.1 ms per step."""
        (optimizer,) = self.trainer.optimizers
        schedule = self.lr_schedulers() if self._schedule is not None and self._schedule.interval == STEP else None
        mixed = torch.is_autocast_enabled(self.device.type)
        wide = self.dtype == torch.float64
        for batch in map(self.trainer.precision_plugin.convert_input, chunk) if wide else chunk:
            # The first update of all creates the optimizer's state, and shows the monitors the order of the layers.
            if self._compiled is not None and self._compiled.takes(batch) and self.global_step:
                self._update_compiled(self._compiled, batch)
            else:
                self._update(batch, optimizer, mixed=mixed)
            if isinstance(schedule, LRScheduler):
                schedule.step()
            # LightningOptimizer.step would count the update itself, but it and the manual_backward that belongs to it
            # each add 0.04 ms to a step of 0.55 ms (MLP, two blocks of 64 units, batch of 32, one thread).
            count_update(self.trainer)
            if mixed:  # Lightning's autocast spans the chunk and would reuse bfloat16 copies of old weights
                torch.clear_autocast_cache()
        if self._compiled is not None:
            self._compiled.settle()

    def _update(self, batch: Batch, optimizer: Optimizer, *, mixed: bool) -> None:
        if self._compiled is not None:
            self._compiled.settle()
        loss = self._training_loss(batch)
        for p in self.trained:
            p.grad = None
        with torch.autocast(self.device.type, enabled=False) if mixed else nullcontext():
            loss.backward()
            self.on_before_optimizer_step(optimizer)
            optimizer.step()

    def _update_compiled(self, update: CompiledUpdate, batch: Batch) -> None:
        """A loss or gradient that is not finite ends the run after the update here, as both are one."""
        loss, outputs, row = update(batch)
        self._training.add(loss, outputs, batch[1])
        self._record(loss, row)

    def _training_loss(self, batch: Batch, *, share: float = 1.0) -> Tensor:
        loss = self.loss(batch, self._training, self.network)
        loss = loss if share == 1.0 else loss * share
        self._step_losses.append(loss.detach())
        return loss

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Record this step's loss and gradient; end the run before an update that either would ruin."""
        losses = self._step_losses
        loss = losses[0] if len(losses) == 1 else torch.stack(losses).mean()
        losses.clear()
        if self._processes > 1:
            loss = self.trainer.strategy.reduce(loss, reduce_op="mean")
        self._record(loss, gradient_row(self.trained, abs_sums=self.keeps_abs_sums))

    def _record(self, loss: Tensor, row: list[Tensor]) -> None:
        self.steps.append(self.global_step, loss[None], *row)
        if self.device.type == "cpu":
            if not math.isfinite(float(loss + row[0].sum())):
                self.check_steps()
        elif self.steps.unseen >= RUN_AHEAD:
            self.check_steps()

    def check_steps(self) -> None:
        """Check the steps that have not been checked yet.

        Raises:
            Diverged: if a loss or a gradient is not finite, naming the first such step.
        """
        unchecked, _, values = self.steps.look()
        finite = np.isfinite(values[:, : 1 + len(self.trained)])
        if len(finite) and not finite.all():
            first = int(np.argmin(finite.all(axis=1)))
            self.steps.truncate(len(self.steps) - len(finite) + first + 1)  # later steps mean nothing
            what = "a gradient" if finite[first, 0] else "the loss"
            raise Diverged(f"{what} is not finite at step {unchecked[first]}")

    def on_train_epoch_end(self) -> None:
        self.write_step_losses()
        self._finish(self._training.scores("train"))
        if self._schedule is not None:
            self._schedule.end_epoch(self.lr_schedulers(), self.scores.latest, automatic=self.automatic_optimization)

    def on_validation_epoch_start(self) -> None:
        self.check_steps()
        self._evaluation = Pass(self.task, self.device)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch)

    def on_validation_epoch_end(self) -> None:
        if self.trainer.state.fn != TrainerFn.FITTING:  # a pass before training is not an epoch
            return
        scores = self._evaluation.scores("val")
        loss = tags.val(tags.LOSS)
        if not math.isfinite(scores[loss]):
            raise Diverged(f"the validation loss is not finite after step {self.global_step}")
        scores |= self.scores.rank(scores[self.task.monitor], epoch=self.current_epoch + 1)
        self._finish(scores)

    def on_test_epoch_start(self) -> None:
        loader = self.trainer.test_dataloaders
        assert isinstance(loader, BatchLoader)
        answers = Answers(loader.positions(), size=len(loader.rows))
        self._evaluation = Pass(self.task, self.device, answers=answers)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate(batch)

    def on_test_epoch_end(self) -> None:
        self.test_scores, self.test_answers = self._evaluation.scores("test"), self._evaluation.answers()

    def _finish(self, scores: dict[str, float]) -> None:
        self.scores.latest.update(scores)
        write(self.trainer.loggers, scores, self.global_step)
        self.log_dict(scores, logger=False)  # for callbacks, such as early stopping

    def write_step_losses(self) -> None:
        """Write the loss of every step since the last call, averaged over the batches of a step."""
        steps, times, values = self.steps.read()
        self.steps.clear()
        if len(steps):
            write_rows(self.trainer.loggers, [tags.TRAIN_LOSS_STEP], steps.tolist(), values[:, :1], times.tolist())

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.scores.save(checkpoint, self.trainer)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.scores.load(checkpoint)
        count_for_both(checkpoint)
