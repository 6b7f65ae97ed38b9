"""Whole sweeps: seeds trained at once, the three-activation study against three scripts, the launchers.

Where a launcher starts several processes, it divides the cores among them itself, so OMP_NUM_THREADS is not set there.
"""

import functools
from collections.abc import Callable

from comparison_rows import (
    Measurement,
    alternate,
    at_most,
    compare,
    faster,
    of_epochs,
    of_script,
)
from our_runs import Training
from processes import Finished
from settings import Settings

AT_ONCE, ONE_BY_ONE, STACK = "seeds at once", "one by one", "bare stacked loop"
SEEDS = 10
FEW = 2  # rounds of what takes minutes
ACTIVATIONS = ("sigmoid", "tanh", "relu")
LAUNCHERS: dict[str, tuple[str, ...]] = {
    "basic": (),
    "joblib": (),
    "submitit_local": ("runs_per_job=5", "threads=1"),  # it starts all jobs at once: a job a core
}

Competitors = dict[str, Callable[[], Measurement]]


def seeds_at_once(settings: Settings, *, epochs: int) -> list[list[str]]:
    """Seconds of one seed and epoch, in one network for all seeds and run by run."""
    shared = ("experiment=mnist_adam", "activation=relu", f"trainer.max_epochs={epochs}")
    arguments = ("--data-dir", str(settings.data_dir), "--epochs", str(epochs), "--seeds", str(SEEDS))
    competitors: Competitors = {
        AT_ONCE: lambda: of_seeds(
            settings.train(*shared, f"seeds_per_job={SEEDS}", f"seed=range(0,{SEEDS})"), at_once=SEEDS
        ),
        # Three seeds are enough for the seconds of one.
        ONE_BY_ONE: lambda: of_epochs(settings.train(*shared, "seeds_per_job=1", "seed=0,1,2")),
        STACK: lambda: of_script(settings.script("bare_loops.py", "stacked", *arguments)),
    }
    samples = alternate("seeds at once", competitors, rounds=min(FEW, settings.rounds))
    name = f"{SEEDS} seeds at once (`seeds_per_job={SEEDS}`, `mnist_adam`, ReLU), a seed and epoch"
    return [
        compare(name, samples, AT_ONCE, ONE_BY_ONE, faster(1.7)),
        compare(name, samples, AT_ONCE, STACK, at_most()),
    ]


def of_seeds(training: Training, *, at_once: int) -> Measurement:
    """Seconds of one seed and epoch, of seeds whose epochs run side by side."""
    measured = of_epochs(training)
    return Measurement([seconds / at_once for seconds in measured.seconds], measured.process, measured.start_up)


def three_activations(settings: Settings) -> list[list[str]]:
    """From the command to the last result: three runs on two cores, three scripts one after the other."""
    competitors: Competitors = {
        "gradflow": lambda: whole(
            settings.train("experiment=mnist_adam", "seed=0", "hydra/launcher=joblib", pinned=False).process
        ),
        "three textbook scripts": lambda: whole(*(_textbook(settings, activation) for activation in ACTIVATIONS)),
    }
    samples = alternate("three activations", competitors, rounds=1)
    name = "the study `mnist_adam seed=0` (3 runs of 5 epochs, `hydra/launcher=joblib`), from start to end"
    return [compare(name, samples, "gradflow", "three textbook scripts", faster(7))]


def _textbook(settings: Settings, activation: str) -> Finished:
    arguments = ("--activation", activation, "--epochs", "5", "--data-dir", str(settings.data_dir))
    return settings.script("textbook_mnist_adam.py", *arguments)


def whole(*processes: Finished) -> Measurement:
    """Processes one after the other, from start to end."""
    return Measurement([sum(one.seconds for one in processes)], processes[0])


def launchers(settings: Settings) -> list[list[str]]:
    """Wall seconds of the default sweep of ten runs with every launcher."""
    competitors = {name: functools.partial(_sweep, settings, name, *more) for name, more in LAUNCHERS.items()}
    samples = alternate("the default sweep", competitors, rounds=min(FEW, settings.rounds))
    name = "the default sweep, 10 runs, `hydra/launcher={}`"
    rows = [compare(name.format("joblib"), samples, "joblib", "basic", faster(1.6))]
    rows.append(compare(name.format("submitit_local"), samples, "submitit_local", "basic", faster()))
    return rows


def _sweep(settings: Settings, launcher: str, *more: str) -> Measurement:
    """From the command to the table."""
    sweep = ("activation=sigmoid,relu", "blocks=1,2,4,6,8", f"hydra/launcher={launcher}", *more)
    return whole(settings.train(*sweep, pinned=False).process)
