"""Compute every section of the lesson and write its page and pictures."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch

from gradflow.errors import ConfigError
from gradflow.lesson import marks
from gradflow.lesson.experiments import (
    centred_network,
    centred_unit,
    dead_units,
    deep,
    explorer,
    families,
    mistakes,
    nonlinearity,
    telephone,
    zero_centred,
)
from gradflow.lesson.experiments.effort import Effort
from gradflow.lesson.page import page
from gradflow.lesson.section import Rule, Section
from gradflow.lesson.sections import choice as choice_section
from gradflow.lesson.sections import dead_units as dead_units_section
from gradflow.lesson.sections import explorer as explorer_section
from gradflow.lesson.sections import nonlinearity as nonlinearity_section
from gradflow.lesson.sections import telephone as telephone_section
from gradflow.lesson.sections import zero_centred as zero_centred_section
from gradflow.runs import provenance as origin
from gradflow.runs.record import now

PAGE, FIGURES = "index.html", "figures"


def build(folder: Path, *, effort: Effort, seed: int, command: str, say: Callable[[str], None]) -> Path:
    """Write `index.html` and `figures/*.png`, `*.svg`, replacing files of these names.

    Args:
        folder: created if missing.
        effort: how much to compute.
        seed: the first of the seeds; the same seed gives the same numbers, except for the activations' costs.
        command: what was typed, shown on the page.
        say: called with one line before each section.

    Returns:
        The page's path.

    Raises:
        ConfigError: if the folder cannot be written to.
    """
    _prepare(folder)
    started = time.monotonic()
    with _settings():
        made = _sections(effort, seed, say)
    say("drawing the pictures")
    for section in made:
        for figure in section.figures:
            marks.save(figure, folder / FIGURES)
    file = folder / PAGE
    provenance = _provenance(effort, seed, command=command, seconds=time.monotonic() - started)
    file.write_text(page(made, provenance), encoding="utf-8")
    return file


def _prepare(folder: Path) -> None:
    """Check that the folder can be written to before computing anything."""
    try:
        (folder / FIGURES).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--output {folder}: {error.strerror or error}; choose another folder") from error
    if not os.access(folder / FIGURES, os.W_OK) or not os.access(folder, os.W_OK):
        raise ConfigError(f"--output {folder}: not writable; choose another folder")


@contextlib.contextmanager
def _settings() -> Iterator[None]:
    """One thread: more would not help such small networks, and sums come out the same on any number of cores.

    No subnormal numbers: Adam's moments for a deep sigmoid network are subnormal, and slow.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
        torch.set_num_threads(threads)


def _sections(effort: Effort, seed: int, say: Callable[[str], None]) -> list[Section]:
    made: list[Section] = []
    steps: dict[str, Callable[[], Section]] = {
        "explorer": lambda: _explorer(effort),
        "why activations": lambda: _nonlinearity(effort, seed),
        "telephone game": lambda: _telephone(effort, seed),
        "dead units": lambda: _dead_units(effort, seed),
        "zero-centred or not": lambda: _zero_centred(effort, seed),
        "which one to choose": lambda: _choice(effort, seed, [rule for section in made for rule in section.rules]),
    }
    for number, (name, make) in enumerate(steps.items(), start=1):
        say(f"section {number} of {len(steps)}: {name}")
        made.append(make())
    return made


def _explorer(effort: Effort) -> Section:
    found = families.families(most_values=effort.parameter_values)
    facts = {(family.name, value): explorer.known(family.make(value)) for family in found for value in family.values}
    costs = explorer.costs(found, repetitions=effort.cost_repetitions)
    curves = explorer.curves(found)
    return explorer_section.section(found, curves, facts, costs, repetitions=effort.cost_repetitions)


def _nonlinearity(effort: Effort, seed: int) -> Section:
    return nonlinearity_section.section(nonlinearity.classifiers(effort, seed=seed))


def _telephone(effort: Effort, seed: int) -> Section:
    return telephone_section.section(telephone.signals(effort, seed=seed), seeds=effort.seeds)


def _dead_units(effort: Effort, seed: int) -> Section:
    trained = dead_units.trainings(effort, seed=seed)
    return dead_units_section.section(trained, seeds=effort.seeds)


def _zero_centred(effort: Effort, seed: int) -> Section:
    signs = {name: zero_centred.sign_structure(name, seed=seed) for name in zero_centred.ACTIVATIONS}
    units, networks = centred_unit.units(seed=seed), centred_network.trainings(effort, seed=seed)
    return zero_centred_section.section(signs, units, networks, effort)


def _choice(effort: Effort, seed: int, rules: Sequence[Rule]) -> Section:
    trained = mistakes.trainings(effort, seed=seed)
    share = mistakes.gradient_share(seed=seed)
    deeply = deep.trainings(effort, seed=seed)
    return choice_section.section(deeply, trained, rules, seeds=effort.seeds, gradient_share=share)


def _provenance(effort: Effort, seed: int, *, command: str, seconds: float) -> dict[str, str]:
    made = origin.provenance(device=origin.device_name(torch.device("cpu")), threads=1)
    return {
        "made": f"{now()[:16].replace('T', ' ')} UTC, in {seconds:.0f} s",
        "seeds": f"{seed} to {seed + effort.seeds - 1}",
        "command": command,
        "versions": f"gradflow {made['gradflow']}, torch {made['torch']}, Python {made['python']}",
        "processor": f"{made['device']}, one thread",
        "source": _source(made["git_commit"], made["git_clean"]),
    }


def _source(commit: str | None, is_clean: bool | None) -> str:
    if commit is None:
        return "outside a git checkout"
    return f"commit {commit[:12]}{'' if is_clean else ', with uncommitted changes'}"
