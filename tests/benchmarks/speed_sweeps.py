"""Whole sweeps: the three-activation study compared with three scripts, and the launchers.

Where a launcher starts several processes, it divides the cores among them itself, so OMP_NUM_THREADS is not set there.
"""

import functools
from collections.abc import Callable

from comparison_rows import Measurement, alternate, compare, faster
from processes import Finished
from settings import Settings

FEW = 2  # rounds, where one takes minutes
ACTIVATIONS = ("sigmoid", "tanh", "relu")
LAUNCHERS: dict[str, tuple[str, ...]] = {
    "basic": (),
    "joblib": (),
    "submitit_local": ("runs_per_job=5", "threads=1"),  # it starts all jobs at once: one per core
}

Competitors = dict[str, Callable[[], Measurement]]


def three_activations(settings: Settings) -> list[list[str]]:
    """From the command to the last result: three runs on two cores, and three scripts one after another."""
    competitors: Competitors = {
        "gradflow": lambda: whole(settings.train("experiment=mnist_adam", "seed=0", "hydra/launcher=joblib").process),
        "three textbook scripts": lambda: whole(*(_textbook(settings, activation) for activation in ACTIVATIONS)),
    }
    samples = alternate("three activations", competitors, rounds=1)
    name = "the study `mnist_adam seed=0` (3 runs of 5 epochs, `hydra/launcher=joblib`), from start to end"
    return [compare(name, samples, "gradflow", "three textbook scripts", faster(7))]


def _textbook(settings: Settings, activation: str) -> Finished:
    arguments = ("--activation", activation, "--epochs", "5", "--data-dir", str(settings.data_dir))
    return settings.script("textbook_mnist_adam.py", *arguments)


def whole(*processes: Finished) -> Measurement:
    """Processes one after another, from start to end."""
    return Measurement([sum(one.seconds for one in processes)], processes[0])


def launchers(settings: Settings) -> list[list[str]]:
    """Wall seconds of the default sweep of ten runs with each launcher."""
    competitors = {name: functools.partial(_sweep, settings, name, *more) for name, more in LAUNCHERS.items()}
    samples = alternate("the default sweep", competitors, rounds=min(FEW, settings.rounds))
    name = "the default sweep, 10 runs, `hydra/launcher={}`"
    rows = [compare(name.format("joblib"), samples, "joblib", "basic", faster(1.6))]
    rows.append(compare(name.format("submitit_local"), samples, "submitit_local", "basic", faster()))
    return rows


def _sweep(settings: Settings, launcher: str, *more: str) -> Measurement:
    """From the command to the table."""
    sweep = ("activation=sigmoid,relu", "blocks=1,2,4,6,8", f"hydra/launcher={launcher}", *more)
    return whole(settings.train(*sweep).process)
