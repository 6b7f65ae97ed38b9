"""Seconds that a run spends in its monitors: train.py with a clock around their hooks.

    python tests/benchmarks/monitor_seconds.py experiment=mnist_adam activation=relu seed=0

The difference between two whole runs is lost in the noise of a shared machine; this is not. Prints one line per class,
which ends in the seconds of the whole run.
"""

import functools
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from naive_monitor import NaiveMonitor

from gradflow.callbacks import precise_batch_norm
from gradflow.callbacks.gradient_norms import GradientNorms
from gradflow.callbacks.health_warnings import HealthWarnings
from gradflow.callbacks.pictures import Pictures
from gradflow.callbacks.precise_batch_norm import PreciseBatchNorm
from gradflow.callbacks.unit_statistics import UnitStatistics
from gradflow.measure.units import ActivityMeter, SlopeMeter
from gradflow.sweep import cli
from gradflow.training.module import ActivationModule

CALLBACKS = (GradientNorms, UnitStatistics, PreciseBatchNorm, HealthWarnings, Pictures, NaiveMonitor)
METERS = (SlopeMeter, ActivityMeter)  # of the unit statistics, called inside the network
RECOMPUTATION = "recomputation"  # of batch normalisation's statistics: median seconds of a call, once per evaluation
STEP_RECORD = ("on_before_optimizer_step",)  # the module measures the gradient, with or without monitors


def clocked(function: Callable, calls: list[float]) -> Callable:
    """The function, the seconds of each call added to `calls`."""

    @functools.wraps(function)
    def timed(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            calls.append(time.perf_counter() - start)

    return timed


def main() -> None:
    calls: dict[str, list[float]] = defaultdict(list)
    hooks = [(one, [name for name in vars(one) if name.startswith("on_")]) for one in CALLBACKS]
    meters = [(one, ("update",)) for one in METERS]
    for owner, names in (*hooks, *meters, (ActivationModule, STEP_RECORD)):
        for name in names:
            setattr(owner, name, clocked(getattr(owner, name), calls[owner.__name__]))
    recomputations: list[float] = []
    precise_batch_norm.recompute = clocked(precise_batch_norm.recompute, recomputations)
    cli.main()
    for name, seconds in calls.items():
        if seconds:
            print(f"{name}: seconds {sum(seconds):.5f}")
    if recomputations:
        print(f"{RECOMPUTATION}: seconds {statistics.median(recomputations):.5f}")


if __name__ == "__main__":
    main()
