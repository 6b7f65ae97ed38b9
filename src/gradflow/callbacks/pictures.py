"""Put a picture of the gradient and of the dead units by depth into TensorBoard at the end of a run."""

import struct

import altair as alt
import lightning as L

from gradflow.callbacks.monitor import Monitor, first_values, latest_values
from gradflow.figures import of_a_run
from gradflow.runs import tags
from gradflow.runs.logger import RunLogger

FIRST, LAST = "first step", "last epoch"
BEFORE, END = "before training", "end of training"


class Pictures(Monitor):
    """Draw what the monitors have recorded of gradients and dead units; without it there is nothing to draw."""

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        loggers = [logger for logger in trainer.loggers if isinstance(logger, RunLogger)]
        if not loggers:
            return
        callbacks = trainer.callbacks  # type: ignore[attr-defined]
        first, latest = first_values(callbacks), latest_values(callbacks)
        charts: dict[str, alt.Chart] = {}
        gradients = {moment: tags.by_layer(v, tags.GRAD_RMS) for moment, v in ((FIRST, first), (LAST, latest))}
        if any(rms > 0 for layers in gradients.values() for rms in layers.values()):  # zero has no logarithm
            charts["gradient_by_depth"] = of_a_run.gradient_by_depth(gradients)
        dead = {moment: tags.by_layer(v, tags.DEAD_UNITS) for moment, v in ((BEFORE, first), (END, latest))}
        if any(dead.values()):
            charts["dead_units_by_depth"] = of_a_run.dead_units_by_depth(dead)
        for tag, chart in charts.items():
            picture = of_a_run.png(chart)
            width, height = struct.unpack(">II", picture[16:24])  # of the PNG's header
            for logger in loggers:
                logger.log_picture(tag, picture, width=width, height=height, step=trainer.global_step)
