"""Put a picture of the gradient and of the dead units by depth into the loggers at the end of a run."""

import io
import logging
import struct
from collections.abc import Mapping

import lightning as L
import numpy as np
from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger
from PIL import Image

from gradflow.callbacks.monitor import Monitor, first_values, latest_values
from gradflow.runs import tags
from gradflow.runs.logger import RunLogger

log = logging.getLogger(__name__)
FIRST, LAST = "first step", "last epoch"
BEFORE, END = "before training", "end of training"


class Pictures(Monitor):
    """Draw what the monitors have recorded of gradients and dead units; without it there is nothing to draw.

    TensorBoard and Weights & Biases show the pictures; other loggers get none.
    """

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        loggers = [
            logger for logger in trainer.loggers if isinstance(logger, (RunLogger, TensorBoardLogger, WandbLogger))
        ]
        if not loggers:
            if trainer.loggers and trainer.is_global_zero:
                names = ", ".join(type(logger).__name__ for logger in trainer.loggers)
                log.warning("Pictures go to TensorBoardLogger or WandbLogger; %s shows none", names)
            return
        callbacks = trainer.callbacks  # type: ignore[attr-defined]
        for tag, picture in _pictures(first_values(callbacks), latest_values(callbacks)).items():
            for logger in loggers:
                _show(logger, tag, picture, step=trainer.global_step)


def _pictures(first: Mapping[str, float], latest: Mapping[str, float]) -> dict[str, bytes]:
    """Each picture in PNG format, by its tag."""
    from gradflow.figures import of_a_run  # needs altair and pandas, for which the first step need not wait

    charts = {}
    gradients = {moment: tags.by_layer(v, tags.GRAD_RMS) for moment, v in ((FIRST, first), (LAST, latest))}
    if any(rms > 0 for layers in gradients.values() for rms in layers.values()):  # zero has no logarithm
        charts["gradient_by_depth"] = of_a_run.gradient_by_depth(gradients)
    dead = {moment: tags.by_layer(v, tags.DEAD_UNITS) for moment, v in ((BEFORE, first), (END, latest))}
    if any(dead.values()):
        charts["dead_units_by_depth"] = of_a_run.dead_units_by_depth(dead)
    return {tag: of_a_run.png(chart) for tag, chart in charts.items()}


def _show(logger: Logger, tag: str, picture: bytes, *, step: int) -> None:
    """Hand a picture in PNG format to a logger, in the way that it wants it."""
    if isinstance(logger, RunLogger):
        width, height = struct.unpack(">II", picture[16:24])  # of the PNG's header
        logger.log_picture(tag, picture, width=width, height=height, step=step)
        return
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    if isinstance(logger, TensorBoardLogger):
        logger.experiment.add_image(tag, np.asarray(image), step, dataformats="HWC")
    else:
        assert isinstance(logger, WandbLogger)
        logger.log_image(tag, [image], step=step)
