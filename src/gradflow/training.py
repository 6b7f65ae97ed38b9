"""Fit one configuration and test it: what a run does inside its folder."""

import logging
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from omegaconf import DictConfig

from gradflow import build, identity, names, runfile, screen
from gradflow.callbacks.gradient_norms import GradientNorms
from gradflow.callbacks.progress import RunProgress
from gradflow.callbacks.unit_statistics import UnitStatistics
from gradflow.data.datamodule import ArrayDataModule
from gradflow.errors import Diverged
from gradflow.logger import RunLogger, rewind, write
from gradflow.module import ActivationModule
from gradflow.provenance import device_name, provenance
from gradflow.together import Together

log = logging.getLogger(__name__)

ERROR_LINES = 20  # last lines of a traceback that run.json keeps


def train(
    cfg: DictConfig,
    folder: Path,
    record: dict[str, Any],
    resume: Path | None,
    *,
    position: str,
    together: Together | None,
) -> dict[str, Any]:
    """Fit, then test the last and the best epoch; what changes in the record.

    Args:
        cfg: the composed configuration.
        folder: the run folder.
        record: its run.json, which gets provenance and size.
        resume: the checkpoint to go on from.
        position: which run of the sweep this is.
        together: makes the updates, with those of other runs.
    """
    monitors = build.monitors(cfg)
    data = build.data(cfg, chunk_size=build.chunk_size(cfg, monitors))
    module = build.module(cfg, data)
    module.together = together
    title = f"{position}: {_axes(record)} seed={record['seed']}"
    logger = build.logger(cfg, folder)
    progress = RunProgress(title if together is None else _axes(record), score=module.task.monitor)
    callbacks = [*monitors, progress, *build.checkpoints(folder, module.task)]
    trainer = build.trainer(cfg, folder, callbacks=callbacks, logger=logger)
    threads = torch.get_num_threads() if together is None else together.threads
    record["provenance"] = provenance(device=device_name(trainer.strategy.root_device), threads=threads)
    record["parameters"] = sum(p.numel() for p in module.parameters() if p.requires_grad)
    runfile.write(folder, record)
    _announce(title, record, data, trainer)
    if resume is not None:
        _rewind(folder, trainer, resume)
    elif isinstance(logger, RunLogger):
        logger.log_trial(trial=f"{record['study']}/{record['config']}", **_trial(cfg, module, record))
    state, tested = runfile.FAILED, {}
    try:
        trainer.fit(module, datamodule=data, ckpt_path=resume, weights_only=True)
        tested = _test(trainer, module, data, folder / names.CHECKPOINT_FOLDER / names.BEST_CHECKPOINT)
        state = runfile.FINISHED
    except Diverged as error:
        state = runfile.DIVERGED
        module.write_step_losses()
        log.warning("diverged: %s", error)
        record["error"] = error_record(error)
    finally:
        if isinstance(logger, RunLogger):
            logger.close(finished=state == runfile.FINISHED)
    return {"state": state, "metrics": _final_metrics(module, monitors) | tested}


def _rewind(folder: Path, trainer: L.Trainer, resume: Path) -> None:
    """Take the curves back to the checkpoint, and end training there if early stopping had ended it."""
    saved = torch.load(resume, map_location="cpu", weights_only=True)
    rewind(folder, saved["gradflow"]["events"])
    if saved["gradflow"]["stopped"]:
        trainer.fit_loop.max_epochs = saved["epoch"] + 1
    screen.say(f"  going on after epoch {saved['epoch'] + 1}")


def _announce(title: str, record: dict[str, Any], data: ArrayDataModule, trainer: L.Trainer) -> None:
    """One line for what is about to run."""
    sizes = "/".join(f"{size:,}" for size in data.sizes)
    device = trainer.strategy.root_device
    facts = f"{record['parameters']:,} parameters, {sizes} samples, {trainer.max_epochs} epochs on {device}"
    screen.say(f"{title}: {facts}")
    log.info("%s: %s", title, facts)


def _test(trainer: L.Trainer, module: ActivationModule, data: ArrayDataModule, best: Path) -> dict[str, float]:
    """Test scores of the last epoch, and of the epoch that validation chose."""
    step = module.global_step
    trainer.test(module, datamodule=data, verbose=False)
    last = module.test_scores()
    chosen = last
    if module.best_epoch not in (0, trainer.current_epoch):
        module.load_state_dict(torch.load(best, map_location=module.device, weights_only=True)["state_dict"])
        trainer.test(module, datamodule=data, verbose=False)
        chosen = module.test_scores()
    scores = last | {names.at_best(tag): value for tag, value in chosen.items()}
    write(trainer.loggers, scores, step)
    return scores


def _final_metrics(module: ActivationModule, callbacks: Sequence[Callback]) -> dict[str, float]:
    """Scores of the last epoch, the best one, means of the gradient over the last epoch, units after it."""
    metrics = dict(module.final)
    if module.best_epoch:
        metrics[names.BEST_EPOCH] = module.best_epoch
    for callback in callbacks:
        if isinstance(callback, GradientNorms):
            metrics |= callback.final_metrics()
        elif isinstance(callback, UnitStatistics):
            metrics |= callback.latest
    return metrics


def _trial(cfg: DictConfig, module: ActivationModule, record: dict[str, Any]) -> dict[str, Any]:
    """Columns of TensorBoard's HParams page."""
    hparams = {
        "activation": record["activation"],
        "blocks": cfg.blocks,
        "width": cfg.width,
        "model": cfg.model.get("name"),
        "data": cfg.data.get("name"),
        "init": cfg.init.get("name"),
        "optimizer": cfg.optimizer.get("name"),
        "lr": cfg.optimizer.lr,
        "batch_size": cfg.data.batch_size,
        "max_epochs": cfg.trainer.max_epochs,
        "parameters": record["parameters"],
        **{axis: value for axis, value in record["axes"].items() if axis not in identity.AXES},
    }
    score = f"test/{module.task.headline}"
    units = [names.unit_tag(kind, "total") for kind in (names.DEAD_UNITS, names.LOW_SLOPE, names.DORMANT_UNITS)]
    gradients = [names.DECADES_PER_LAYER, names.GRAD_NORM_TOTAL]
    shown = [names.at_best(score), score, names.best(module.task.monitor), "train/loss", *gradients, *units]
    return {
        "hparams": {k: v for k, v in hparams.items() if v is not None},
        "varying": list(record["axes"]),
        "metrics": shown,
    }


def _axes(record: dict[str, Any]) -> str:
    return " ".join(f"{axis}={value}" for axis, value in record["axes"].items())


def error_record(error: BaseException) -> dict[str, Any]:
    """What run.json keeps of an error."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    return {"type": type(error).__name__, "message": str(error), "traceback": lines[-ERROR_LINES:]}
