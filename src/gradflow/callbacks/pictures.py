"""Put a picture of the gradient and of the dead units by depth into TensorBoard at the end of a run."""

import struct

import lightning as L
from lightning.pytorch.callbacks import Callback

from gradflow.callbacks.gradient_norms import GradientNorms
from gradflow.callbacks.unit_statistics import UnitStatistics
from gradflow.figures import of_a_run
from gradflow.runs import metrics
from gradflow.runs.logger import RunLogger

FIRST, LAST = "first step", "last epoch"
BEFORE, END = "before training", "end of training"


class Pictures(Callback):
    """Draw what `GradientNorms` and `UnitStatistics` have recorded; without them there is nothing to draw."""

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        charts = {}
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, GradientNorms) and callback.first_rms:
                last = {layer: callback.epoch_means[metrics.grad_rms(layer)] for layer in callback.first_rms}
                moments = {FIRST: callback.first_rms, LAST: last}
                if any(rms > 0 for layers in moments.values() for rms in layers.values()):  # zero has no logarithm
                    charts["gradient_by_depth"] = of_a_run.gradient_by_depth(moments)
            elif isinstance(callback, UnitStatistics) and (moments := _dead_units(callback)):
                charts["dead_units_by_depth"] = of_a_run.dead_units_by_depth(moments)
        for logger in trainer.loggers:
            if isinstance(logger, RunLogger):
                for tag, chart in charts.items():
                    picture = of_a_run.png(chart)
                    width, height = struct.unpack(">II", picture[16:24])  # of the PNG's header
                    logger.log_picture(tag, picture, width=width, height=height, step=trainer.global_step)


def _dead_units(callback: UnitStatistics) -> dict[str, dict[str, float]]:
    prefix = metrics.unit_tag(metrics.DEAD_UNITS, "")
    ends = {BEFORE: callback.history[0], END: callback.history[-1]} if callback.history else {}
    moments = {
        moment: {tag.removeprefix(prefix): v for tag, v in statistics.items() if tag.startswith(prefix)}
        for moment, statistics in ends.items()
    }
    return {moment: {k: v for k, v in layers.items() if k != "total"} for moment, layers in moments.items() if layers}
