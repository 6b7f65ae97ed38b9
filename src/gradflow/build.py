"""From a configuration to objects."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import lightning as L
import torch
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig
from torch import nn

from gradflow import names
from gradflow.callbacks.divergence import Divergence
from gradflow.callbacks.unit_statistics import UnitStatistics
from gradflow.checkpoint_io import AtomicCheckpointIO
from gradflow.data.datamodule import ArrayDataModule
from gradflow.errors import ConfigError
from gradflow.module import ActivationModule
from gradflow.seeds import Stream, torch_seed
from gradflow.tasks import Task, task


def data(cfg: DictConfig) -> ArrayDataModule:
    """The data module; the arrays are read, or downloaded, when one of its properties is first asked for."""
    return _make(cfg.data, seed=cfg.seed)


def network(cfg: DictConfig, arrays: ArrayDataModule) -> nn.Module:
    """The network with the initial weights of `cfg.seed`."""
    activation: Callable[[], nn.Module] = functools.partial(_make, cfg.activation)
    # Whatever the layers' own generators do not draw (learned activations, say) is fixed by the seed as well.
    torch.manual_seed(torch_seed(cfg.seed, Stream.WEIGHTS))
    model = _make(cfg.model, input_shape=arrays.input_shape, num_outputs=arrays.num_outputs, activation=activation)
    _make(cfg.init).apply(model.layers, cfg.seed)
    return model


def learning_task(arrays: ArrayDataModule) -> Task:
    return task(arrays.task, num_outputs=arrays.num_outputs, target_scale=arrays.target_scale)


def module(cfg: DictConfig, arrays: ArrayDataModule) -> ActivationModule:
    """The network with its loss, optimizer and schedule."""
    return ActivationModule(
        network(cfg, arrays),
        learning_task(arrays),
        optimizer=_make(cfg.optimizer, _partial_=True),
        schedule=_make(cfg.schedule, _partial_=True),
        seed=cfg.seed,
    )


def monitors(cfg: DictConfig) -> list[Callback]:
    """The configured callbacks, in the order of the configuration."""
    return [_make(callback) for callback in cfg.callbacks.values() if callback is not None]


def checkpoints(folder: Path, what: Task) -> list[Callback]:
    """Keep the epoch that validation chose (ties: the earliest) and the last one, saved when an epoch is complete.

    Two callbacks, because the `save_last` of one saves only together with a new best; the last one comes second, so
    that it knows the best.
    """
    keep = functools.partial(
        ModelCheckpoint,
        dirpath=folder / names.CHECKPOINT_FOLDER,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    best = keep(filename=Path(names.BEST_CHECKPOINT).stem, monitor=what.monitor, mode=what.mode)
    return [best, keep(filename=Path(names.LAST_CHECKPOINT).stem)]


def logger(cfg: DictConfig, folder: Path) -> Logger | None:
    return _make(cfg.logger, folder=folder)


def trainer(cfg: DictConfig, folder: Path, *, callbacks: Sequence[Callback], logger: Logger | None = None) -> L.Trainer:
    """Lightning's trainer; divergence is watched for before anything is recorded of that step."""
    measures_units = any(isinstance(callback, UnitStatistics) for callback in callbacks)
    return _make(
        cfg.trainer,
        callbacks=[Divergence(), *callbacks],
        logger=logger or False,
        default_root_dir=folder,
        plugins=[AtomicCheckpointIO()],
        # A pass over the whole validation set before the first update, for the unit statistics of the initial weights.
        num_sanity_val_steps=-1 if measures_units else 0,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1,
    )


def _make(cfg: DictConfig, **arguments: Any) -> Any:
    """Instantiate what `_target_` names, without the `name` that is only shown; None for a null target."""
    if cfg.get("_target_") is None:
        return None
    try:
        return instantiate({key: cfg[key] for key in cfg if key != "name"}, _convert_="all", **arguments)
    except InstantiationException as error:
        if isinstance(cause(error), ConfigError):
            raise cause(error) from error
        raise


def cause(error: BaseException) -> BaseException:
    """What a constructor raised: Hydra wraps it, once for each level of nesting."""
    while isinstance(error, InstantiationException) and error.__cause__ is not None:
        error = error.__cause__
    return error
