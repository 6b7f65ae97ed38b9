"""Runs that end before their last epoch, or leave batches out, because a limit of the trainer says so."""

import logging
import math
from typing import Any

import lightning as L
from lightning.fabric.utilities.data import sized_len
from lightning.pytorch.callbacks import Callback, Timer
from lightning.pytorch.utilities import CombinedLoader
from lightning.pytorch.utilities.exceptions import MisconfigurationException
from omegaconf import DictConfig, OmegaConf

from gradflow.errors import ConfigError, is_whole, shown
from gradflow.runs.states import MAX_TIME

log = logging.getLogger(__name__)

BATCH_LIMITS = ("limit_train_batches", "limit_val_batches", "limit_test_batches")  # in the order of the loaders
LIMITS = ("max_time", "max_steps")  # of the trainer, taken over from Lightning


class TimeIsOver(Exception):
    """An attempt has trained for `trainer.max_time`."""


class TimeLimit(Callback):
    """End an attempt once it has trained for so long; the epoch that it was in is trained again by the next one.

    Lightning's own limit ends such an epoch as if it were complete, validated and saved, and counts earlier attempts.

    Args:
        duration: as Lightning's Timer takes it: `DD:HH:MM:SS`, or a dictionary such as {minutes: 90}.

    Raises:
        ConfigError: if it is neither, or no time at all.
    """

    def __init__(self, duration: Any) -> None:
        remedy = "needs days, hours, minutes and seconds, more than 0 in all, e.g. trainer.max_time=00:08:00:00"
        try:
            self._clock = Timer(duration)
            is_time = self._left() > 0
        except (MisconfigurationException, TypeError, AttributeError) as error:
            raise ConfigError(f"{MAX_TIME}={shown(duration)}: {remedy}") from error
        if not is_time:
            raise ConfigError(f"{MAX_TIME}={shown(duration)}: {remedy}")

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._clock.on_train_start(trainer, pl_module)
        self._first_epoch = trainer.current_epoch

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._look(trainer)

    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *batch: Any) -> None:
        if not trainer.is_last_batch:  # the epoch is complete, so that it is validated and saved
            self._look(trainer)

    def _look(self, trainer: L.Trainer) -> None:
        # All processes of a run stop in the same place.
        if trainer.strategy.reduce_boolean_decision(self._left() <= 0, all=False):
            if trainer.current_epoch == self._first_epoch:
                log.warning("no epoch was completed within %s, so the next attempt needs more", MAX_TIME)
            raise TimeIsOver

    def _left(self) -> float:
        """Seconds."""
        left = self._clock.time_remaining()
        assert left is not None
        return left


class StepLimit(Callback):
    """End training after so many updates.

    Lightning's own limit, set before a checkpoint is restored, leaves out the beginning of the epoch that follows it.

    Args:
        updates: at least 1.
    """

    def __init__(self, updates: int) -> None:
        self._updates = updates

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        trainer.fit_loop.epoch_loop.max_steps = self._updates


def limits(cfg: DictConfig) -> list[Callback]:
    """Those of `LIMITS` that are set, as callbacks; a dry run of Lightning's has a limit of its own."""
    max_time, max_steps = cfg.trainer.get("max_time"), cfg.trainer.get("max_steps")
    plain = OmegaConf.to_container(max_time, resolve=True) if OmegaConf.is_config(max_time) else max_time
    of_steps = [] if max_steps in (None, -1) or cfg.trainer.get("fast_dev_run") else [StepLimit(max_steps)]
    return [*([] if plain is None else [TimeLimit(plain)]), *of_steps]


def by_time(cfg: DictConfig) -> str:
    """What `TimeIsOver` means, as `Record.cut_short_by`."""
    return _typed(cfg, MAX_TIME.rpartition(".")[2])


def by_limits(cfg: DictConfig, trainer: L.Trainer, data: L.LightningDataModule) -> str | None:
    """What else has cut a run short, as `Record.cut_short_by`; None if nothing has.

    Args:
        cfg: the composed configuration.
        trainer: after training and testing.
        data: what it trained on; of loaders without a length a limit says how long an epoch is.
    """
    if cfg.trainer.get("fast_dev_run"):
        return _typed(cfg, "fast_dev_run")
    loaders = (data.train_dataloader, data.val_dataloader, data.test_dataloader)
    limited = {key: make() for key, make in zip(BATCH_LIMITS, loaders, strict=True) if cfg.trainer.get(key) is not None}
    limits = [key for key, made in limited.items() if any(_used(cfg.trainer[key], of=n) < n for n in _lengths(made))]
    assert trainer.max_epochs is not None
    batches = trainer.num_training_batches  # infinite of a loader without a length
    per_epoch = math.ceil(batches / trainer.accumulate_grad_batches) if math.isfinite(batches) else math.inf
    updates = per_epoch * trainer.max_epochs
    if trainer.global_step == trainer.max_steps < updates and not trainer.should_stop:
        limits.append("max_steps")
    return ", ".join(_typed(cfg, key) for key in limits) or None


def _lengths(loaders: Any) -> list[int]:
    """Of the loaders that have one, in batches; a data module may return one loader or any collection."""
    combined = loaders if isinstance(loaders, CombinedLoader) else CombinedLoader(loaders, "sequential")
    return [length for one in combined.flattened if (length := sized_len(one)) is not None]


def _used(limit: int | float | None, *, of: int) -> int:
    """How many batches are left by a limit, which is a number of them or, if it is a float, a fraction."""
    return of if limit is None else min(limit, of) if is_whole(limit) else int(limit * of)


def _typed(cfg: DictConfig, key: str) -> str:
    return f"trainer.{key}={shown(cfg.trainer[key])}"
