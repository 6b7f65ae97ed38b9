"""The MLPs on MNIST: epochs compared with the textbook scripts and the bare loops; monitors, start-up, memory."""

import sys
from collections.abc import Callable
from statistics import median

from comparison_rows import (
    Measurement,
    Samples,
    alternate,
    at_most,
    compare,
    costs,
    duration,
    faster,
    figures,
    of_epochs,
    of_script,
)
from processes import ROOT, Finished
from settings import Settings

ADAM = ("experiment=mnist_adam", "activation=relu", "seed=0")
SGD = ("experiment=mnist_sgd", "activation=sigmoid", "seed=0")
# A group of callbacks, emptied, then the naive monitor.
NAIVE = (
    "callbacks=gradient_norms",
    "callbacks.gradient_norms=null",
    "+callbacks.naive._target_=naive_monitor.NaiveMonitor",
)
ONLY_COMPUTED = "+callbacks.naive.writes=false"
TEXTBOOK, BARE, KERAS = "textbook script", "bare loop", "Keras's fit"
WITHOUT, NAIVELY = "without monitors", "naive monitor"
IMPORTS = "`import torch, lightning` in a process of its own"
ONLY_IMPORTS = "import os, torch, lightning; os._exit(0)"  # what follows the imports is not timed
START_UP_S = 3.5  # from the start of the process to the first step
TENTH = at_most(0.1)
STEPS = 938  # per epoch of `experiment=mnist_adam`

Competitors = dict[str, Callable[[], Measurement]]


def adam(settings: Settings, *, epochs: int, naive: bool = True) -> list[list[str]]:
    """Rows on `experiment=mnist_adam`."""
    data = ("--data-dir", str(settings.data_dir))
    length = f"trainer.max_epochs={epochs}"
    competitors: Competitors = {
        "gradflow": lambda: of_epochs(settings.train(*ADAM, length)),
        WITHOUT: lambda: of_epochs(settings.train(*ADAM, length, "callbacks=none")),
        BARE: lambda: of_script(settings.script("bare_loops.py", "mlp", *data, "--epochs", str(epochs))),
        IMPORTS: lambda: _of_process(settings.command([sys.executable, "-c", ONLY_IMPORTS])),
        # Two of its slow epochs are enough.
        TEXTBOOK: lambda: of_script(settings.script("textbook_mnist_adam.py", *data, "--epochs", "2")),
    }
    if naive:
        competitors[NAIVELY] = lambda: of_epochs(settings.train(*ADAM, length, *NAIVE))
    samples = alternate("MLP under Adam", competitors, rounds=settings.rounds)
    name = "MLP, Adam (`mnist_adam`, ReLU), per epoch"
    rows = [
        compare(name, samples, "gradflow", TEXTBOOK, faster(5)),
        compare(name, samples, "gradflow", BARE, at_most(1.25)),
        compare("its monitors, all on, per epoch", samples, "gradflow", WITHOUT, at_most(1.05)),
        _start_up(samples),
        _memory(samples),
    ]
    return [*rows, _monitors_against_naive(samples)] if naive else rows


def sgd(settings: Settings, *, epochs: int) -> list[list[str]]:
    """Rows on `experiment=mnist_sgd`."""
    arguments = ("--data-dir", str(settings.data_dir), "--epochs", str(epochs))
    competitors: Competitors = {
        "gradflow": lambda: of_epochs(settings.train(*SGD, f"trainer.max_epochs={epochs}")),
        BARE: lambda: of_script(settings.script("bare_loops.py", "sgd", *arguments)),
    }
    keras = settings.keras
    if keras is not None:
        script = str(ROOT / "tests/benchmarks/keras_mnist_sgd.py")
        competitors[KERAS] = lambda: of_script(settings.command([str(keras), script, *arguments]))
    samples = alternate("MLP under SGD", competitors, rounds=settings.rounds)
    name = "MLP, SGD (`mnist_sgd`, sigmoid), per epoch"
    # Keras took 2.7 s where this loop took 0.8 s; half of that is 1.69 times the loop.
    rows = [compare(name, samples, "gradflow", BARE, at_most(1.69))]
    return rows if keras is None else [*rows, compare(name, samples, "gradflow", KERAS, faster(2))]


def monitors_by_clock(settings: Settings, *, rounds: int) -> list[list[str]]:
    """Seconds per step inside the monitors' hooks; the pictures at the end of a run have their own row."""
    variants = {"ours": (), "none": ("callbacks=none",), "naive": NAIVE, "computed": (*NAIVE, ONLY_COMPUTED)}
    costs_of: dict[str, list[float]] = {name: [] for name in (*variants, "pictures")}
    for _ in range(rounds):
        clocks = {
            name: settings.clocked(*ADAM, "trainer.max_epochs=1", *overrides) for name, overrides in variants.items()
        }
        costs_of["pictures"].append(clocks["ours"].pop("Pictures"))
        for name, seconds in clocks.items():
            costs_of[name].append(sum(seconds.values()) / STEPS)
    # Even without monitors, the module checks every gradient for divergence: that cost is not theirs.
    cost = {name: median(values) for name, values in costs_of.items()}
    ours, naive, computed = (cost[name] - cost["none"] for name in ("ours", "naive", "computed"))
    what = "its monitors alone, timed around their hooks, per step"
    return [
        costs(what, ours, naive, NAIVELY, TENTH),
        costs(what, ours, computed, f"{NAIVELY} that writes nothing", at_most()),
        figures("its pictures, once per run", duration(cost["pictures"])),
    ]


def _monitors_against_naive(samples: Samples) -> list[str]:
    """What the monitors add to an epoch, compared with what the naive one adds."""
    off = samples.seconds(WITHOUT)
    what = "its monitors alone, difference between whole epochs"
    return costs(what, samples.seconds("gradflow") - off, samples.seconds(NAIVELY) - off, NAIVELY, TENTH)


def _of_process(finished: Finished) -> Measurement:
    return Measurement([finished.seconds], finished)


def _start_up(samples: Samples) -> list[str]:
    """A row with a target in seconds; the ratio is to what Python takes to import the two libraries."""
    ours, imports = samples.start_up("gradflow"), samples.seconds(IMPORTS)
    others = f"{duration(imports)} {IMPORTS}, {duration(samples.start_up(WITHOUT))} {WITHOUT}"
    reached = "yes" if ours <= START_UP_S else "**no**"
    what = "from the start of the process to the first step"
    return [what, duration(ours), others, f"{ours / imports:.2f}", "", f"at most {START_UP_S} s", reached]


def _memory(samples: Samples) -> list[str]:
    others = [f"{samples.peak_mib(name):.0f} MiB {name}" for name in (TEXTBOOK, BARE)]
    return figures("its peak memory", f"{samples.peak_mib('gradflow'):.0f} MiB", *others)
