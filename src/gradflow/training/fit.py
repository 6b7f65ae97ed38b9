"""What every process of a run does: build, fit, test. All processes except the first write nothing."""

import logging
from collections.abc import Callable, Sequence
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
from gradflow.training import build, checkpoints, own_module
from gradflow.training.cut_short import TimeIsOver
from gradflow.training.devices import OwnEnvironment, Signals
from gradflow.training.epoch_scores import ENTRY, EpochScores
from gradflow.training.epoch_seeds import EpochSeeds, seed_epochs
from gradflow.training.logged_metrics import LoggedMetrics
from gradflow.training.module import ActivationModule
from gradflow.training.process import process_settings, processes
from gradflow.training.progress import RunProgress
from gradflow.training.thread_count import suitable_threads, update_operations

log = logging.getLogger(__name__)


class Parts(NamedTuple):
    """What one process trains with: gradflow's module and data, or the user's own.

    Attributes:
        logged: collects what a module of the user's own logs; None for gradflow's.
    """

    monitors: list[Callback]
    data: L.LightningDataModule
    module: L.LightningModule
    trainer: L.Trainer
    scores: EpochScores
    logged: LoggedMetrics | None = None


def build_parts(
    cfg: DictConfig,
    folder: Path,
    environment: OwnEnvironment,
    *,
    loggers: Sequence[Logger] = (),
    tells_progress: bool = False,
) -> Parts:
    """Build everything; with `tells_progress` the run's folder says how far it is."""
    monitors = build.monitors(cfg)
    data = build.any_data(cfg, chunk_size=build.chunk_size(cfg, monitors))
    module = build.any_module(cfg, data)
    if isinstance(module, ActivationModule):
        scores, logged = module.scores, None
    else:
        scores = own_module.scores(cfg)
        logged = LoggedMetrics(scores)
    progress = [RunProgress(folder, score=scores.monitor)] if tells_progress else []
    signals = [Signals()] if processes(cfg) > 1 else []
    callbacks = [*monitors, *progress, *signals]
    if logged is not None:
        callbacks = [EpochSeeds(cfg.seed), *callbacks, logged]
    trainer = build.trainer(
        cfg,
        folder,
        callbacks=[*callbacks, *checkpoints.checkpoints(folder, scores)],
        loggers=loggers if logged is None else logged.loggers(loggers),
        environment=environment,
    )
    if logged is not None:
        seed_epochs(data, seed=cfg.seed, trainer=trainer)
    if cfg.threads is None and trainer.strategy.root_device.type == "cpu":
        _choose_threads(module, data, processes=trainer.world_size)
    return Parts(monitors, data, module, trainer, scores, logged)


def _choose_threads(module: L.LightningModule, data: L.LightningDataModule, *, processes: int) -> None:
    """As many threads as suit the network; a module of the user's own keeps those available."""
    if isinstance(module, ActivationModule) and isinstance(data, ArrayDataModule):
        x = torch.zeros(1, *data.input_shape).to(module.dtype)
        operations = update_operations(module.network, x, batch_size=-(-data.batch_size // processes))
        torch.set_num_threads(suitable_threads(operations, available=torch.get_num_threads()))


def fit_and_test(cfg: DictConfig, parts: Parts, folder: Path, resume: Path | None) -> dict[str, float]:
    """Train; test scores of the last epoch, and of the epoch that validation chose."""
    module, data, trainer = parts.module, parts.data, parts.trainer
    if resume is None:
        _seed_setup(cfg, parts)
        measure_initial_weights(trainer, module, data)
    _seed_setup(cfg, parts)
    trainer.fit(module, datamodule=data, ckpt_path=resume, weights_only=True)
    step = trainer.global_step
    best = None if parts.scores.best_epoch in (0, trainer.current_epoch) else folders.best_checkpoint(folder)
    last, chosen = _own_tests(cfg, parts, best) if parts.logged is not None else _tests(parts, folder, best)
    scores = last | {tags.at_best(tag): value for tag, value in chosen.items()}
    write(trainer.loggers, scores, step)
    return scores


def _tests(parts: Parts, folder: Path, best: Path | None) -> tuple[dict[str, float], dict[str, float]]:
    """Test scores of the last epoch and of the best one, whose checkpoint is given if it is another."""
    _, data, module, trainer, *_ = parts
    assert isinstance(module, ActivationModule)
    assert isinstance(data, ArrayDataModule)
    trainer.test(module, datamodule=data, verbose=False)
    last = chosen = module.test_scores
    answers = answers_of_chosen = module.test_answers
    if best is not None:
        module.load_state_dict(torch.load(best, map_location=module.device, weights_only=True)["state_dict"])
        trainer.test(module, datamodule=data, verbose=False)
        chosen = module.test_scores
        answers_of_chosen = module.test_answers
    if trainer.is_global_zero:
        _keep_samples(folder, data, last=answers, chosen=answers_of_chosen)
    return last, chosen


def _own_tests(cfg: DictConfig, parts: Parts, best: Path | None) -> tuple[dict[str, float], dict[str, float]]:
    """What a module of the user's own logs in its tests, of the last epoch and of the best one; empty without tests."""
    _, data, module, trainer, _, logged = parts
    assert logged is not None
    if not own_module.has_test(module, data):
        return {}, {}

    def tested(checkpoint: Path | None) -> dict[str, float]:
        _seed_setup(cfg, parts)
        trainer.test(module, datamodule=data, ckpt_path=checkpoint, weights_only=True, verbose=False)
        return logged.tested

    last = tested(None)
    return last, last if best is None else tested(best)


def _seed_setup(cfg: DictConfig, parts: Parts) -> None:
    """Let the user's own data be the same in each pass, however many there were before."""
    if parts.logged is not None:
        own_module.seed_split(cfg)


def _keep_samples(folder: Path, data: ArrayDataModule, *, last: np.ndarray | None, chosen: np.ndarray | None) -> None:
    """Write which samples each set has, and the answers to the tested ones by the last epoch and the chosen one."""
    accuracy = tags.test(tags.ACC)
    answers = {tag: one for tag, one in ((accuracy, last), (tags.at_best(accuracy), chosen)) if one is not None}
    parts = {part: getattr(data.split, part) for part in ("train", "validation", "test")}
    write_samples(folder, samples_of(len(data.arrays.y), **parts, answers=answers))


def measure_initial_weights(trainer: L.Trainer, module: L.LightningModule, data: L.LightningDataModule) -> None:
    """Go through the validation set before the first update, if a monitor wants it."""
    callbacks = trainer.callbacks  # type: ignore[attr-defined]
    if any(monitor.measures_initial_weights for monitor in monitors_among(callbacks)):
        with isolate_rng():
            trainer.validate(module, datamodule=data, verbose=False)


def final_metrics(parts: Parts) -> dict[str, float]:
    """Scores of the last epoch, the number of the best epoch, and the monitors' final values."""
    final = parts.scores.final()
    for monitor in monitors_among(parts.monitors):
        final |= monitor.final_metrics()
    table = MetricTable(declared(parts.monitors))
    if unknown := [tag for tag in final if tag not in parts.scores.latest and table.row(tag) is None]:
        log.warning("no monitor declares %s: run.json has it, the report leaves it out", ", ".join(unknown))
    return final


def end_where_it_ended(trainer: L.Trainer, checkpoint: dict[str, Any]) -> None:
    """Train no further if early stopping had ended the run."""
    if checkpoint[ENTRY]["stopped"]:
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
            fit_and_test(cfg, parts, folder, resume)
