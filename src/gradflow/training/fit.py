"""What every process of a run does: build, fit, test. All processes except the first write nothing."""

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities.seed import isolate_rng
from omegaconf import DictConfig

from gradflow import terminal
from gradflow.callbacks.monitor import declared, monitors_among
from gradflow.data.datamodule import ArrayDataModule
from gradflow.errors import Diverged
from gradflow.runs import folders, tags
from gradflow.runs.metrics import MetricTable
from gradflow.runs.samples import samples_of, write_samples
from gradflow.runs.scalars import write
from gradflow.training import build, checkpoints
from gradflow.training.cut_short import TimeIsOver
from gradflow.training.devices import OwnEnvironment, Signals
from gradflow.training.module import ActivationModule
from gradflow.training.process import process_settings, processes
from gradflow.training.progress import RunProgress

log = logging.getLogger(__name__)


class Parts(NamedTuple):
    """What one process trains with."""

    monitors: list[Callback]
    data: ArrayDataModule
    module: ActivationModule
    trainer: L.Trainer


def build_parts(
    cfg: DictConfig,
    folder: Path,
    environment: OwnEnvironment,
    *,
    logger: Logger | None = None,
    title: str | None = None,
) -> Parts:
    """Build everything; `title` is that of a progress bar."""
    monitors = build.monitors(cfg)
    data = build.data(cfg, chunk_size=build.chunk_size(cfg, monitors))
    module = build.module(cfg, data)
    if cfg.compile:
        torch.compiler.reset()  # the compiler's limits count earlier runs too
        # One kernel per shape, as an epoch has at most two; random numbers as without compilation.
        module.network.compile(dynamic=False, options={"fallback_random": True})
    progress = [RunProgress(title, score=module.task.monitor)] if title is not None else []
    signals = [Signals()] if processes(cfg) > 1 else []
    callbacks = [*monitors, *progress, *signals, *checkpoints.checkpoints(folder, module.task)]
    trainer = build.trainer(cfg, folder, callbacks=callbacks, logger=logger, environment=environment)
    return Parts(monitors, data, module, trainer)


def fit_and_test(parts: Parts, folder: Path, resume: Path | None) -> dict[str, float]:
    """Train; test scores of the last epoch, and of the epoch that validation chose."""
    _, data, module, trainer = parts
    if resume is None:
        measure_initial_weights(trainer, module, data)
    trainer.fit(module, datamodule=data, ckpt_path=resume, weights_only=True)
    step = module.global_step
    trainer.test(module, datamodule=data, verbose=False)
    last = module.test_scores
    chosen = last
    answers = answers_of_chosen = module.test_answers
    if module.best_epoch not in (0, trainer.current_epoch):
        best = folders.best_checkpoint(folder)
        module.load_state_dict(torch.load(best, map_location=module.device, weights_only=True)["state_dict"])
        trainer.test(module, datamodule=data, verbose=False)
        chosen = module.test_scores
        answers_of_chosen = module.test_answers
    scores = last | {tags.at_best(tag): value for tag, value in chosen.items()}
    write(trainer.loggers, scores, step)
    if trainer.is_global_zero:
        _keep_samples(folder, data, last=answers, chosen=answers_of_chosen)
    return scores


def _keep_samples(folder: Path, data: ArrayDataModule, *, last: np.ndarray | None, chosen: np.ndarray | None) -> None:
    """Write which samples each set has, and the answers to the tested ones by the last epoch and the chosen one."""
    accuracy = tags.test(tags.ACC)
    answers = {tag: one for tag, one in ((accuracy, last), (tags.at_best(accuracy), chosen)) if one is not None}
    parts = {part: getattr(data.split, part) for part in ("train", "validation", "test")}
    write_samples(folder, samples_of(len(data.arrays.y), **parts, answers=answers))


def measure_initial_weights(trainer: L.Trainer, module: ActivationModule, data: ArrayDataModule) -> None:
    """Go through the validation set before the first update, if a monitor wants it."""
    callbacks = trainer.callbacks  # type: ignore[attr-defined]
    if any(monitor.measures_initial_weights for monitor in monitors_among(callbacks)):
        with isolate_rng():
            trainer.validate(module, datamodule=data, verbose=False)


def final_metrics(parts: Parts) -> dict[str, float]:
    """Scores of the last epoch, the number of the best epoch, and the monitors' final values."""
    final = dict(parts.module.final)
    if parts.module.best_epoch:
        final[tags.BEST_EPOCH] = parts.module.best_epoch
    for monitor in monitors_among(parts.monitors):
        final |= monitor.final_metrics()
    table = MetricTable(declared(parts.monitors))
    if unknown := [tag for tag in final if table.row(tag) is None]:
        log.warning("no monitor declares %s: run.json has it, the report leaves it out", ", ".join(unknown))
    return final


def end_where_it_ended(trainer: L.Trainer, checkpoint: dict[str, Any]) -> None:
    """Train no further if early stopping had ended the run."""
    if checkpoint["gradflow"]["stopped"]:
        trainer.fit_loop.max_epochs = checkpoint["epoch"] + 1


def train_along(
    cfg: DictConfig,
    folder: Path,
    resume: Path | None,
    environment: OwnEnvironment,
    ready: Callable[[], object],
) -> None:
    """What every process except the first does: the same, silently."""
    terminal.configure()
    logging.disable()
    with process_settings(cfg):
        parts = build_parts(cfg, folder, environment)
        if resume is not None:
            end_where_it_ended(parts.trainer, checkpoints.saved(resume))
        ready()
        with suppress(Diverged, TimeIsOver):
            fit_and_test(parts, folder, resume)
