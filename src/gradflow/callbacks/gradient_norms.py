"""Record every layer's gradient at every step."""

import logging
from dataclasses import asdict
from typing import Any

import lightning as L
import torch
from lightning.pytorch.strategies import DeepSpeedStrategy, FSDPStrategy, ModelParallelStrategy
from torch import Tensor
from torch.optim import Optimizer

from gradflow.callbacks.monitor import Monitor, as_measured, measures_itself, network_of
from gradflow.errors import ConfigError, Diverged
from gradflow.measure.gradient_meter import GradientMeter, Measured, Wanted
from gradflow.measure.gradient_record import RecordOfModule
from gradflow.measure.gradient_sites import Order
from gradflow.runs import metrics, tags
from gradflow.runs.scalars import write_rows

log = logging.getLogger(__name__)

SHARDED = (FSDPStrategy, DeepSpeedStrategy, ModelParallelStrategy)


class GradientNorms(Monitor):
    """Write the gradient of every layer as backpropagation leaves it, before clipping, at its own step.

    Works with any LightningModule, whatever its optimizers: each step of an optimizer is measured, over the parameters
    that it updates. In a module of this package, which measures each step's gradient anyway to notice a run that
    diverges, this callback turns what was measured into metrics.

    Layers are the modules with weights of an affine map, in the order in which the first training batch meets them,
    named by their place and path, e.g. `03_layer1.0.conv2`; checkpoints keep the order. With several optimizers, tags
    of more than one layer end in the optimizer's number: `grad_norm/total_0`. A gradient of None counts as zero. What
    you clip yourself, under manual optimization, is measured clipped.

    Args:
        norm: write `grad_norm/<layer>` and `grad_norm/total`.
        rms: write `grad_rms/<layer>`.
        abs_mean: write `grad_abs_mean`.
        flow: write `grad_flow/gain_per_layer`, if two hidden layers after the first have weights of one shape, and
            `grad_flow/first_to_last`, if there are two hidden layers. Every layer but the last is hidden.
        every_n_steps: average over this many steps before writing; 1 writes every step.
        submodule: the path of the part to measure, such as `generator`; None for all of the module.

    Raises:
        ConfigError: if `every_n_steps` is under 1; when training starts, if the strategy shards gradients or there is
            no such part.
    """

    declares = metrics.of_groups(tags.GRAD_NORM, tags.GRAD_RMS, tags.GRAD_ABS_MEAN, tags.GRAD_FLOW)
    sees_chunks = True

    def __init__(
        self,
        *,
        norm: bool = True,
        rms: bool = True,
        abs_mean: bool = True,
        flow: bool = True,
        every_n_steps: int = 1,
        submodule: str | None = None,
    ) -> None:
        self._wanted = Wanted(norm=norm, rms=rms, abs_mean=abs_mean, flow=flow, every_n_steps=every_n_steps)
        self._submodule = submodule
        self._order: Order | None = None  # of a checkpoint
        self._meter: GradientMeter | None = None
        self._values = Measured()
        self._has_said = False

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        if stage == "fit" and isinstance(trainer.strategy, SHARDED):
            raise ConfigError(
                f"GradientNorms: under {type(trainer.strategy).__name__} each process has a part of every gradient, so "
                "norms would be wrong; use strategy=ddp, or leave GradientNorms out"
            )

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        network = network_of(pl_module, self._submodule)
        parameters = {id(parameter) for parameter in network.parameters()}
        everything = self._submodule is None
        self._meter = GradientMeter(
            network, self._wanted, self._values, measured=None if everything else parameters, order=self._order
        )
        if measures_itself(pl_module):
            module = as_measured(pl_module)
            module.keeps_abs_sums = self._wanted.abs_mean
            measured = set(map(id, module.trained)) if everything else parameters
            record = RecordOfModule(module.steps, module.trained, abs_sums=self._wanted.abs_mean, measured=measured)
            self._meter.adopt(record)
        elif not self._meter.expect(trainer.optimizers):
            part = "" if everything else f" in submodule={self._submodule}"
            log.warning("GradientNorms: no optimizer has a parameter%s, so there is no gradient to record", part)

    def on_before_optimizer_step(self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: Optimizer) -> None:
        if not measures_itself(pl_module):
            self._running.measure(optimizer, trainer.global_step, scale=_scale(trainer, pl_module, optimizer))

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._running.stop_listening()
        if self._running.is_full() and not measures_itself(pl_module):
            self._write(trainer, whole_windows=True)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._write(trainer)
        self._running.end_epoch()
        if self.latest and not self._has_said and not self._running.has_sites:
            self._has_said = True
            log.warning(
                "GradientNorms: no optimizer of %s updates a module with weights of an affine map, so only totals are "
                "recorded; make its matrices those of torch.nn's layers to see them apart",
                type(pl_module).__name__,
            )

    def on_save_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        # Who resumes from here has no other record of the steps before.
        if self._meter is not None and not measures_itself(pl_module):
            self._write(trainer, whole_windows=True)

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        if self._meter is None:
            return
        self._meter.stop_listening()
        # In a study an interrupted epoch is trained again and would write its points twice; a diverged one is not.
        if isinstance(exception, Diverged) or not measures_itself(pl_module):
            self._write(trainer)

    @property
    def _running(self) -> GradientMeter:
        assert self._meter is not None
        return self._meter

    def _write(self, trainer: L.Trainer, *, whole_windows: bool = False) -> None:
        for rows in self._running.take(whole_windows=whole_windows):
            write_rows(trainer.loggers, *rows)
        self.first = self._values.first
        self.latest = self._values.means.by_tag() or self.latest

    def final_metrics(self) -> dict[str, float]:
        """Means over the last epoch, and the mean absolute gradient over all steps of training."""
        final = {tag: value for tag, value in self.latest.items() if self._wanted.includes(tag)}
        if self._wanted.abs_mean and self._values.steps:
            final[tags.GRAD_ABS_MEAN_ALL_STEPS] = self._values.abs_mean_sum / self._values.steps
        return final

    def state_dict(self) -> dict[str, Any]:
        order = self._order if self._meter is None else self._meter.order
        return super().state_dict() | {
            "abs_mean_sum": self._values.abs_mean_sum,
            "steps_seen": self._values.steps,
            "order": None if order is None else asdict(order),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self._values = Measured(
            first=dict(self.first), abs_mean_sum=state_dict["abs_mean_sum"], steps=state_dict["steps_seen"]
        )
        order = state_dict.get("order")
        self._order = None if order is None else Order(**order)


def _scale(trainer: L.Trainer, pl_module: L.LightningModule, optimizer: Optimizer) -> Tensor | None:
    """By what factor gradients are too large: in float16 an optimizer that is fused removes the scaler's itself."""
    scaler = getattr(trainer.precision_plugin, "scaler", None)
    if scaler is None or not getattr(optimizer, "_step_supports_amp_scaling", False):
        return None
    return scaler.scale(torch.ones((), device=pl_module.device))  # unlike get_scale, this does not wait for the GPU
