"""Are the training settings sensible: optimizer, trainer, precision, compilation?"""

import os
import shutil
import sys
import sysconfig
from datetime import timedelta
from pathlib import Path

import torch
from omegaconf import DictConfig

from gradflow.errors import ConfigError, shown
from gradflow.training import build, own_module, process

LEAST_TIMEOUT_S = 10  # in which one process of a run starts after another
DISTRIBUTED = "lightning.pytorch.strategies.DDPStrategy"  # of trainer=ddp


def check(cfg: DictConfig) -> None:
    """Refuse values that make no sense.

    Raises:
        ConfigError: naming key, value and remedy.
    """
    _trainer(cfg)
    _precision(cfg)
    if cfg.compile:
        _compiles()


def _trainer(cfg: DictConfig) -> None:
    _devices(cfg)
    if cfg.trainer.get("overfit_batches"):
        raise ConfigError(
            f"trainer.overfit_batches={cfg.trainer.overfit_batches}: the batches would change in each epoch "
            "anyway; use trainer.limit_train_batches"
        )
    _validation(cfg)
    if cfg.trainer.accelerator in ("gpu", "cuda") and not torch.cuda.is_available():
        raise ConfigError("trainer=gpu: no CUDA GPU was found; use trainer=auto or trainer=cpu")


def _validation(cfg: DictConfig) -> None:
    """Once after every epoch: the best epoch, its checkpoint and its test score are of that moment.

    For Lightning, an interval of 1.0 is an epoch, one of 1 is a batch.
    """
    for key, every_epoch in (("val_check_interval", (1.0, float)), ("check_val_every_n_epoch", (1, int))):
        value = cfg.trainer.get(key, every_epoch[0])
        is_usual = (value, type(value)) == every_epoch or (value is None and key == "val_check_interval")
        if not is_usual:
            raise ConfigError(
                f"trainer.{key}={shown(value)}: validation comes once after every epoch, which the best epoch and its "
                "checkpoint rest on; leave it out"
            )


def _devices(cfg: DictConfig) -> None:
    """One device, or several of one machine with `trainer=ddp`."""
    trainer = cfg.trainer
    devices, strategy = trainer.get("devices"), trainer.get("strategy")
    if trainer.get("num_nodes", 1) != 1:
        raise ConfigError(f"trainer.num_nodes={trainer.num_nodes}: a run uses the devices of one machine; leave it out")
    distributed = isinstance(strategy, DictConfig) and strategy.get("_target_") == DISTRIBUTED
    if strategy not in (None, "auto") and not distributed:
        raise ConfigError(f"trainer.strategy={shown(strategy)}: use trainer=ddp for several devices, or leave it out")
    processes = process.processes(cfg)
    if processes == 1:
        return
    if own_module.is_own(cfg):
        raise ConfigError(
            f"trainer.devices={shown(devices)}: module=custom trains on one device; use trainer=auto, cpu or gpu"
        )
    if not distributed:
        raise ConfigError(f"trainer.devices={shown(devices)}: several devices need trainer=ddp")
    _timeout(strategy)
    if cfg.model.get("norm") == "batch":
        check_batch_norm(cfg, "model.norm=batch")


def _timeout(strategy: DictConfig) -> None:
    """Long enough for another process to start; what it is made of has been checked by itself."""
    timeout = strategy.get("timeout")
    if timeout is None:  # the default of the class
        return
    parts = {key: value for key, value in timeout.items() if key != "_target_"}
    if timedelta(**parts).total_seconds() < LEAST_TIMEOUT_S:
        typed = " ".join(f"trainer.strategy.timeout.{key}={shown(value)}" for key, value in parts.items())
        raise ConfigError(
            f"{typed or 'trainer.strategy.timeout'}: processes need longer to start; use at least {LEAST_TIMEOUT_S} "
            "seconds in all, e.g. trainer.strategy.timeout.minutes=5"
        )


def check_batch_norm(cfg: DictConfig, what: str) -> None:
    """Refuse several devices that could not normalise over a whole batch.

    Args:
        cfg: the composed configuration, of a network with batch normalisation.
        what: has it, as it is typed.
    """
    trainer = cfg.trainer
    if process.processes(cfg) == 1:
        return
    if not trainer.get("sync_batchnorm"):
        raise ConfigError(
            f"trainer.sync_batchnorm=false {what}: each device would normalise by its own part of a batch; leave "
            "trainer.sync_batchnorm out"
        )
    on_cpu = trainer.accelerator == "cpu" or (trainer.accelerator == "auto" and not torch.cuda.is_available())
    if on_cpu:
        remedy = "use model.norm=none, layer or group, or" if "norm" in cfg.model else "use"
        raise ConfigError(
            f"trainer.devices={shown(trainer.devices)} {what}: on CPUs torch cannot normalise over the batches of "
            f"several processes; {remedy} trainer.devices=1"
        )


def _compiles() -> None:
    """torch.compile compiles the code that it generates with the machine's own C++ compiler."""
    compiler = os.environ.get("CXX", {"darwin": "clang++", "win32": "cl"}.get(sys.platform, "g++"))
    if shutil.which(compiler) is None:
        remedy = "install it or use compile=false"
        raise ConfigError(f"compile=true: needs a C++ compiler, but there is no {compiler}; {remedy}")
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        raise ConfigError("compile=true: needs Python's headers (python3-dev); install them or use compile=false")


def _precision(cfg: DictConfig) -> None:
    precision = str(cfg.precision)
    if precision in ("16", "fp16", "float16", "16-mixed", "16-true"):
        raise ConfigError(
            f"precision={precision}: float16 loses gradients below 6e-8, the very thing measured here; "
            "use precision=bf16"
        )
    if precision not in build.PRECISIONS:
        raise ConfigError(f"precision={precision}: choose one of {', '.join(build.PRECISIONS)}")
    if precision == "tf32" and (cfg.trainer.accelerator == "cpu" or not torch.cuda.is_available()):
        raise ConfigError("precision=tf32: only CUDA GPUs support it; use precision=32 or precision=bf16")
