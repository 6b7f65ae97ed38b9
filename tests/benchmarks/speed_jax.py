"""The MLP on MNIST compared with JAX: one epoch as one compiled scan, ten seeds as one batch by `vmap`.

gradflow has the threads and the launcher that it takes by default; JAX and the bare loop have all cores. Compilation is
in no epoch, neither JAX's nor that of `compile=true`; it has a row of its own.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from statistics import median

from comparison_rows import (
    Measurement,
    Samples,
    alternate,
    at_most,
    compare,
    duration,
    figures,
    of_epochs,
    of_script,
)
from our_runs import Refused
from processes import HERE, ROOT
from settings import Settings

OWN_ENVIRONMENT = Path(".venv-jax")
MISSING = f"JAX is not installed (python -m venv {OWN_ENVIRONMENT} && {OWN_ENVIRONMENT}/bin/pip install jax)"
ADAM = ("experiment=mnist_adam", "activation=relu")
SEEDS = 10
SIDE_BY_SIDE = "hydra/launcher=joblib"
COMPILED = "compile=true"
EAGER, BARE, JAX = "gradflow", "bare loop", "JAX"
FEW = 2  # rounds, where one takes minutes

Competitors = dict[str, Callable[[], Measurement]]


def one_run(settings: Settings, *, epochs: int) -> list[list[str]]:
    """Rows on an epoch of one run of `experiment=mnist_adam`."""
    ours = (*ADAM, "seed=0", f"trainer.max_epochs={epochs}")
    arguments = ("mlp", "--data-dir", str(settings.data_dir), "--epochs", str(epochs))
    competitors: Competitors = {
        EAGER: lambda: of_epochs(settings.train(*ours)),
        COMPILED: lambda: of_epochs(settings.train(*ours, COMPILED)),
        BARE: lambda: of_script(settings.script("bare_loops.py", *arguments)),
        JAX: functools.partial(_jax, settings, epochs=epochs, seeds=1),
    }
    samples = alternate("MLP and JAX", competitors, rounds=settings.rounds)
    name = "MLP, Adam (`mnist_adam`, ReLU), per epoch"
    return [
        compare(f"{name}, `compile=true`", samples, COMPILED, JAX, at_most(1.25)),
        compare(f"{name}, `compile=true`", samples, COMPILED, BARE, at_most()),
        compare(name, samples, EAGER, JAX, at_most()),
        *_compilation("compilation, once per run", samples),
    ]


def several_seeds(settings: Settings, *, epochs: int) -> list[list[str]]:
    """Rows on ten seeds of it: side by side in processes, and by `vmap`."""
    seeds = f"seed={','.join(map(str, range(SEEDS)))}"
    ours = (*ADAM, seeds, f"trainer.max_epochs={epochs}", SIDE_BY_SIDE)
    competitors: Competitors = {
        EAGER: functools.partial(_side_by_side, settings, *ours),
        COMPILED: functools.partial(_side_by_side, settings, *ours, COMPILED),
        JAX: functools.partial(_jax, settings, epochs=epochs, seeds=SEEDS),
    }
    samples = alternate("ten seeds and JAX", competitors, rounds=min(FEW, settings.rounds))
    name = f"{SEEDS} seeds of `mnist_adam`, ReLU, an epoch of each divided by the runs side by side"
    return [
        compare(f"{name}, `compile=true`", samples, COMPILED, JAX, at_most(1.25)),
        compare(name, samples, EAGER, JAX, at_most()),
        _whole(f"the same, {epochs} epochs each, from the command to the table", samples),
    ]


def _side_by_side(settings: Settings, *overrides: str) -> Measurement:
    training = settings.train(*overrides)
    return Measurement(training.epochs_a_run, training.process)


def _jax(settings: Settings, *, epochs: int, seeds: int) -> Measurement:
    """Its epochs after the first, divided by the number of seeds.

    Raises:
        Refused: if there is no JAX.
    """
    if settings.jax is None:
        raise Refused(MISSING)
    arguments = ("--data-dir", str(settings.data_dir), "--epochs", str(epochs), "--seeds", str(seeds))
    finished = settings.command([str(settings.jax), str(HERE / "jax_mnist_adam.py"), *arguments], pinned=False)
    (compilation,) = [line for line in finished.output.splitlines() if line.startswith("compilation: ")]
    measured = of_script(finished)
    return Measurement(measured.seconds, finished, warm_up=float(compilation.split()[-1]))


def _compilation(what: str, samples: Samples) -> list[list[str]]:
    """Ours is the difference between the starts of two runs, up to the end of the first epoch."""
    if COMPILED in samples.refused:
        return []
    ours = samples.warm_up(COMPILED) - samples.warm_up(EAGER)
    others = [] if JAX in samples.refused else [f"{duration(samples.warm_up(JAX))} {JAX}"]
    return [figures(what, duration(ours), *others)]


def _whole(what: str, samples: Samples) -> list[str]:
    """Wall seconds of the processes, with imports, compilation, tests and files."""
    known = [name for name in (EAGER, COMPILED, JAX) if name not in samples.refused]
    seconds = {name: median(one.process.seconds for one in samples.rounds[name]) for name in known}
    return figures(what, *(f"{duration(taken)} {name}" for name, taken in seconds.items()))


def interpreter(chosen: Path | None) -> Path | None:
    """The Python interpreter with JAX: the chosen one, or that of the environment `.venv-jax`, or None."""
    own = ROOT / OWN_ENVIRONMENT / "bin" / "python"
    return chosen or (own if own.exists() else None)
