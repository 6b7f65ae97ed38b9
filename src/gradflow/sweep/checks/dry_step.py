"""What building cannot tell: every part of a run at work once, on a few samples, in memory."""

import io
import logging
import pickle
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from traceback import walk_tb
from typing import Any

import numpy as np
import torch
from lightning.fabric.plugins.io import TorchCheckpointIO
from lightning.pytorch.callbacks import Callback, LambdaCallback, ModelSummary
from lightning.pytorch.loggers.logger import DummyLogger
from lightning.pytorch.utilities.seed import isolate_rng
from omegaconf import DictConfig, open_dict
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from gradflow.data.datamodule import ArrayDataModule
from gradflow.data.split import Split
from gradflow.errors import ConfigError, Diverged
from gradflow.models.layers import activations_in
from gradflow.runs import identity
from gradflow.sweep.checks.callbacks import is_known
from gradflow.training import build
from gradflow.training.architecture import activation
from gradflow.training.module import ActivationModule
from gradflow.training.process import lightning_called

BATCH = 2  # samples: batch normalisation needs two, and so does r2
BATCHES = 2  # of training
# Configurations that differ only here are tried once; elsewhere too, the size of a number other than 0 and 1 is left to
# building, which is done for each.
NOT_TRIED = (
    *("seed", "blocks", "width", "threads", "compile", "flush_denormal", "runs_per_job"),
    *("study", "headline", "output_dir", "data_dir", "rerun", "resume", "hydra"),
)
# Options of the trainer that have no place here, besides those that `_trainer` sets.
LEFT_OUT = (
    *("limit_train_batches", "limit_val_batches", "limit_test_batches", "fast_dev_run", "profiler", "strategy"),
    *("max_steps", "min_steps", "min_epochs", "max_time", "sync_batchnorm", "num_nodes"),
)
_tried: set[str] = set()


def check(cfg: DictConfig, data: ArrayDataModule) -> None:
    """Train an epoch of two batches of two samples, save, read back and test; nothing is written or drawn at random.

    On the CPU, with gradflow's callbacks and Lightning's; callbacks of your own are not called, as nobody knows what
    else they do. Configurations of one structure are tried once in a process.

    Raises:
        ConfigError: naming the part that failed.
    """
    structure = _structure(cfg, data)
    if structure not in _tried:
        _run(cfg)
        _tried.add(structure)


def _structure(cfg: DictConfig, data: ArrayDataModule) -> str:
    values = {key: value for key, value in identity.whole(cfg).items() if key.split(".")[0] not in NOT_TRIED}
    return identity.digest({key: kind(value) for key, value in values.items()} | {"data": [*data.input_shape]})


def kind(value: Any) -> Any:
    """A value with its numbers replaced by what they are, except for 0 and 1, which often switch something off."""
    if isinstance(value, list):
        return [kind(one) for one in value]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return type(value).__name__ if is_number and value not in (0, 1) else value


def _run(cfg: DictConfig) -> None:
    with silence(), lightning_called(), isolate_rng():
        callbacks = build.callbacks(cfg)
        data = build.data(cfg, chunk_size=build.chunk_size(cfg, list(callbacks.values())))
        module = build.module(cfg, data)
        _keep_few(data)
        try:
            with suppress(Diverged):  # a result
                _fit_and_test(cfg, callbacks, data, module)
        except ConfigError:
            raise
        except Exception as error:
            what = _to_blame(error, cfg, callbacks, module)
            reason = " ".join(str(error).split())
            raise ConfigError(f"{what}: fails on the first batches ({type(error).__name__}: {reason})") from error


def _fit_and_test(
    cfg: DictConfig, callbacks: Mapping[str, Callback], data: ArrayDataModule, module: ActivationModule
) -> None:
    own = cfg.copy()
    with open_dict(own):
        own.batch_norm_samples = BATCH
        own.trainer = {key: value for key, value in cfg.trainer.items() if key not in LEFT_OUT} | {
            "accelerator": "cpu",
            "devices": 1,
            "max_epochs": 1,
            "enable_checkpointing": False,
        }
    statistics, *_ = build.monitors(own)
    called = [one for one in callbacks.values() if is_known(one) and not isinstance(one, LambdaCallback | ModelSummary)]
    if len(called) < len(callbacks):  # what is followed may be logged by a callback that is not called
        called = [one for one in called if getattr(one, "monitor", None) is None]
    loggers = [] if cfg.logger.get(build.TARGET, build.RECORD) is None else [Nowhere()]
    trainer = build.trainer(own, Path(), callbacks=[statistics, *called], loggers=loggers)
    trainer.strategy.checkpoint_io = Memory()
    trainer.fit(module, datamodule=data)
    trainer.save_checkpoint("memory")
    trainer.test(module, datamodule=data, verbose=False)


def _keep_few(data: ArrayDataModule) -> None:
    """Leave only as many samples as are used."""
    batch = min(BATCH, data.batch_size)
    wanted = {"train": BATCHES * batch, "validation": BATCH, "test": BATCH}
    parts = [getattr(data.split, part)[:count] for part, count in wanted.items()]
    rows, ends = np.concatenate(parts), np.cumsum([len(part) for part in parts])
    arrays = data.arrays
    data.arrays = replace(arrays, x=arrays.x[rows], y=arrays.y[rows], num_test=0, num_validation=0)
    data.split = Split(*np.split(np.arange(len(rows)), ends[:-1]))
    data.batch_size = batch


@contextmanager
def silence() -> Iterator[None]:
    """Neither logs nor warnings."""
    disabled = logging.root.manager.disable
    logging.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


def _to_blame(error: Exception, cfg: DictConfig, callbacks: Mapping[str, Callback], module: ActivationModule) -> str:
    """The part in whose code the error arose, as it is typed."""
    activations = activations_in(module.network, type(activation(cfg)))
    inside = {id(part) for one in activations for part in one.modules()}
    names = {id(callback): name for name, callback in callbacks.items()}
    found = f"activation={identity.activation_label(cfg)} model={cfg.model.get('name')}"
    for frame, _ in walk_tb(error.__traceback__):
        owner = frame.f_locals.get("self")
        if id(owner) in names:
            name = names[id(owner)]
            found = f"callbacks.{name}._target_={cfg.callbacks[name]['_target_']}"
        elif isinstance(owner, Optimizer):
            found = f"optimizer._target_={cfg.optimizer['_target_']}"
        elif isinstance(owner, LRScheduler):
            found = f"schedule._target_={cfg.schedule['_target_']}"
        elif id(owner) in inside:
            found = f"activation._target_={cfg.activation['_target_']}"
        elif isinstance(owner, nn.Module) and owner is not module:
            found = f"model={cfg.model.get('name')}"
    return found


class Nowhere(DummyLogger):
    """A logger that keeps nothing, whatever a module does with it."""


class Memory(TorchCheckpointIO):
    """A checkpoint that is written to memory and read back, as resuming does."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        for key, state in checkpoint["callbacks"].items():
            _read_back(state, whose=key)
        _read_back(checkpoint, whose="the run")


def _read_back(state: Any, *, whose: str) -> None:
    file = io.BytesIO()
    try:
        torch.save(state, file)
        file.seek(0)
        torch.load(file, weights_only=True)
    except (AttributeError, TypeError, pickle.PickleError) as error:
        raise TypeError(f"the state of {whose} cannot be read back from a checkpoint: {error}") from error
