"""Fit one configuration and test it: what a run does inside its folder."""

import functools
import logging
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.plugins.environments import LightningEnvironment
from omegaconf import DictConfig

from gradflow import build, terminal
from gradflow.activations import facts
from gradflow.data.datamodule import ArrayDataModule
from gradflow.errors import Diverged
from gradflow.fitting import Parts, build_parts, end_where_it_ended, final_metrics, fit_and_test, saved, train_along
from gradflow.measure.scores import constant_loss
from gradflow.models.layers import Layer
from gradflow.module import ActivationModule
from gradflow.process import processes
from gradflow.ranks import companions
from gradflow.runs import identity, metrics
from gradflow.runs.logger import RunLogger, rewind
from gradflow.runs.provenance import device_name, provenance
from gradflow.runs.record import State, error_entry, write_record

log = logging.getLogger(__name__)


def train(
    cfg: DictConfig, folder: Path, record: dict[str, Any], resume: Path | None, *, position: str
) -> dict[str, Any]:
    """Fit, then test the last and the best epoch; what changes in the record.

    Args:
        cfg: the composed configuration.
        folder: the run folder.
        record: its run.json, which gets provenance and size.
        resume: the checkpoint to go on from.
        position: which run of the sweep this is.
    """
    with companions(processes(cfg), functools.partial(train_along, cfg, folder, resume)) as environment:
        return _train(cfg, folder, record, resume, environment, position=position)


def _train(
    cfg: DictConfig,
    folder: Path,
    record: dict[str, Any],
    resume: Path | None,
    environment: LightningEnvironment,
    *,
    position: str,
) -> dict[str, Any]:
    axes = " ".join(f"{axis}={value}" for axis, value in record["axes"].items())
    title = f"{position}: {axes} seed={record['seed']}"
    logger = build.logger(cfg, folder)
    parts = build_parts(cfg, folder, environment, logger=logger, title=title)
    module, trainer = parts.module, parts.trainer
    record |= _facts(parts)
    write_record(folder, record)
    _announce(title, record, parts.data, trainer)
    if resume is not None:
        checkpoint = saved(resume)
        rewind(folder, checkpoint["gradflow"]["events"])
        end_where_it_ended(trainer, checkpoint)
        terminal.say(f"  going on after epoch {checkpoint['epoch'] + 1}")
    elif isinstance(logger, RunLogger):
        logger.log_trial(trial=f"{record['study']}/{record['config']}", **_trial(cfg, module, record))
    state, tested = State.FAILED, {}
    try:
        tested = fit_and_test(parts, folder, resume)
        state = State.FINISHED
    except Diverged as error:
        state = State.DIVERGED
        module.write_step_losses()
        log.warning("diverged: %s", error)
        record["error"] = error_entry(error)
    finally:
        if isinstance(logger, RunLogger):
            logger.close(finished=state == State.FINISHED)
    return {"state": state, "metrics": final_metrics(parts) | tested}


def _facts(parts: Parts) -> dict[str, Any]:
    """What run.json says of a run before it has trained."""
    _, data, module, trainer = parts
    device = device_name(trainer.strategy.root_device)
    device = device if trainer.world_size == 1 else f"{trainer.world_size} x {device}"
    first: Layer = module.network.layers[0]  # type: ignore[index, assignment]
    assert first.activation is not None
    return {
        "provenance": provenance(device=device, threads=torch.get_num_threads()),
        "parameters": sum(p.numel() for p in module.parameters() if p.requires_grad),
        "constant_loss": constant_loss(data.task, data.training_targets),
        "sigmoid_like": facts(first.activation).sigmoid_like,
    }


def _announce(title: str, record: dict[str, Any], data: ArrayDataModule, trainer: L.Trainer) -> None:
    """One line for what is about to run."""
    sizes = "/".join(f"{size:,}" for size in data.sizes)
    device = trainer.strategy.root_device
    facts = f"{record['parameters']:,} parameters, {sizes} samples, {trainer.max_epochs} epochs on {device}"
    terminal.say(f"{title}: {facts}")
    log.info("%s: %s", title, facts)


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
    units = [metrics.unit_tag(kind, "total") for kind in (metrics.DEAD_UNITS, metrics.LOW_SLOPE, metrics.DORMANT_UNITS)]
    gradients = [metrics.DECADES_PER_LAYER, metrics.GRAD_NORM_TOTAL]
    anew = [metrics.precise_bn(score)] if cfg.model.get("norm") == "batch" else []
    shown = [metrics.at_best(score), score, *anew, metrics.best(module.task.monitor), "train/loss", *gradients, *units]
    return {
        "hparams": {k: v for k, v in hparams.items() if v is not None},
        "varying": list(record["axes"]),
        "metrics": shown,
    }
