"""Learning-rate schedules: when they step, what they follow, and the one that torch lacks."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lightning.pytorch.utilities.types import LRSchedulerConfigType
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, ReduceLROnPlateau

from gradflow.errors import ConfigError, is_finite, is_whole, shown
from gradflow.runs import tags

INTERVALS = EPOCH, STEP = "epoch", "step"  # a step is an update


@dataclass(frozen=True)
class Schedule:
    """How to make a learning-rate schedule, and when it steps.

    Attributes:
        make: makes it from the optimizer.
        interval: after each `epoch`, or after each `step`, which is an update.
        monitor: tag of the epoch's score that `ReduceLROnPlateau` follows; None for a schedule that follows none.
    """

    make: Callable[[Optimizer], LRScheduler]
    interval: str = EPOCH
    monitor: str | None = None

    def __post_init__(self) -> None:
        if self.interval not in INTERVALS:
            raise ConfigError(f"schedule.interval={shown(self.interval)}: choose one of {', '.join(INTERVALS)}")
        if self.monitor is not None and self.interval == STEP:
            raise ConfigError(
                f"schedule.interval=step: schedule.monitor={shown(self.monitor)} is known once an epoch; use "
                "schedule.interval=epoch"
            )

    def of(self, optimizer: Optimizer) -> LRScheduler:
        """The schedule of an optimizer.

        Raises:
            ConfigError: if it follows a score and none is named, or the other way round.
        """
        made = self.make(optimizer)
        name = type(made).__name__
        if isinstance(made, ReduceLROnPlateau):
            if self.monitor is None:
                example = f"+schedule.monitor={tags.val(tags.LOSS)}"
                raise ConfigError(f"schedule.monitor=null: {name} follows a score, e.g. {example}")
        elif self.monitor is not None:
            raise ConfigError(f"schedule.monitor={shown(self.monitor)}: {name} follows no score; leave it out")
        return made

    def described(self, optimizer: Optimizer, *, automatic: bool) -> LRSchedulerConfigType:
        """The schedule of an optimizer, as Lightning wants to be told of it."""
        told = LRSchedulerConfigType(scheduler=self.of(optimizer), interval=self.interval)
        if automatic:
            # True would have Lightning step it only when the epoch's checkpoint has been written.
            told["reduce_on_plateau"] = False
        return told

    def end_epoch(self, schedule: Any, scores: Mapping[str, float], *, automatic: bool) -> None:
        """Step after an epoch, unless Lightning's automatic optimization does, or each update has."""
        if self.monitor is not None:
            schedule.step(scores[self.monitor])
        elif not automatic and self.interval == EPOCH:
            schedule.step()


class RiseAndFall:
    """The factor of the learning rate at each update, counted from 0.

    In the w updates of the warm-up it is (t + 1) / (w + 1); from then on half a cosine falls from 1 to `floor`, which
    it reaches after the last update.

    Args:
        updates: of the whole run.
        warmup: how many of them warm up, w.
        floor: in [0, 1].
    """

    def __init__(self, updates: int, *, warmup: int, floor: float) -> None:
        self.updates, self.warmup, self.floor = updates, warmup, floor

    def __call__(self, update: int) -> float:
        if update < self.warmup:
            return (update + 1) / (self.warmup + 1)
        progress = min(1.0, (update - self.warmup) / max(1, self.updates - self.warmup))
        return self.floor + (1 - self.floor) * (1 + math.cos(math.pi * progress)) / 2


class WarmupCosine(LambdaLR):
    """Linear warm-up, then half a cosine down to `eta_min`, a step an update.

    Args:
        optimizer: with the highest learning rate.
        epochs: of the run.
        steps_per_epoch: updates of an epoch.
        warmup: how many updates, or which fraction of all, below 1.
        eta_min: the learning rate after the last update, at most that of the optimizer.

    Raises:
        ConfigError: if warm-up or `eta_min` does not fit the run.

    Source: warm-up as in Goyal et al. 2017, arXiv:1706.02677; cosine as in Loshchilov & Hutter 2017, arXiv:1608.03983.
    """

    def __init__(
        self, optimizer: Optimizer, *, epochs: int, steps_per_epoch: int, warmup: float = 0.05, eta_min: float = 0.0
    ) -> None:
        updates, highest = epochs * steps_per_epoch, optimizer.defaults["lr"]
        steps = warmup if is_whole(warmup) else round(warmup * updates) if is_finite(warmup) and warmup < 1 else -1
        if not 0 <= steps < updates:
            raise ConfigError(
                f"schedule.warmup={shown(warmup)}: give a number of updates below the run's {updates:,}, or a fraction "
                "of them below 1, e.g. schedule.warmup=0.05"
            )
        if not is_finite(eta_min) or not 0 <= eta_min <= highest:
            raise ConfigError(
                f"schedule.eta_min={shown(eta_min)}: needs a learning rate from 0 to optimizer.lr={highest:g}, e.g. "
                "schedule.eta_min=0"
            )
        floor = eta_min / highest if highest else 0.0
        super().__init__(optimizer, RiseAndFall(updates, warmup=steps, floor=floor))


def check_counts_updates(options: Mapping[str, Any]) -> None:
    """Refuse to step a schedule that counts updates once an epoch: it would end after a fraction of its way."""
    if options.get("interval", EPOCH) != STEP:
        raise ConfigError(
            f"schedule._target_={options['_target_']}: counts the updates of the run, so it steps after each: use "
            f"{'' if 'interval' in options else '+'}schedule.interval=step"
        )
