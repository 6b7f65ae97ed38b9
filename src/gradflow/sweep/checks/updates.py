"""Can every update of a run be made: by the optimizer, and at a learning rate that the schedule has?"""

import inspect
from typing import Any

from omegaconf import DictConfig

from gradflow.data.datamodule import ArrayDataModule
from gradflow.errors import ConfigError
from gradflow.training import build
from gradflow.training.schedules import STEP


def check(cfg: DictConfig, configured: Any, data: ArrayDataModule) -> None:
    """Refuse optimizers that evaluate batches themselves, and schedules that end before the run does.

    Args:
        cfg: the composed configuration.
        configured: what the module's `configure_optimizers` returns.
        data: says how many updates an epoch has.

    Raises:
        ConfigError: naming the class and what to use instead.
    """
    has_schedule = isinstance(configured, dict)
    _check_optimizer(cfg, configured["optimizer"] if has_schedule else configured)
    if has_schedule:
        _check_length(cfg, configured["lr_scheduler"]["scheduler"], data)


def _check_optimizer(cfg: DictConfig, optimizer: Any) -> None:
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        raise ConfigError(
            f"optimizer._target_={cfg.optimizer['_target_']}: evaluates a batch several times for one update, so that "
            "the update has no gradient of its own to measure; use optimizer=adam or optimizer=sgd_momentum"
        )


def _check_length(cfg: DictConfig, schedule: Any, data: ArrayDataModule) -> None:
    """OneCycleLR raises when it is stepped too often."""
    steps = cfg.trainer.max_epochs
    if cfg.schedule.get("interval") == STEP:
        steps *= build.updates_per_epoch(cfg, data)
    total = getattr(schedule, "total_steps", None)
    if total is not None and total < steps:
        raise ConfigError(
            f"schedule._target_={cfg.schedule['_target_']}: ends after {total:,} of the run's {steps:,} steps; use "
            "schedule=one_cycle, or schedule.epochs=${trainer.max_epochs} without total_steps and steps_per_epoch"
        )
