"""The lesson's path: its sections in the order in which a student meets them."""

import functools
from collections.abc import Callable, Mapping, Sequence

from gradflow.lesson.experiments.effort import Effort
from gradflow.lesson.experiments.explorer import costs as timed
from gradflow.lesson.experiments.families import families
from gradflow.lesson.measured import Measured
from gradflow.lesson.openings import opened
from gradflow.lesson.section import Folded, Part, Rule, Section
from gradflow.lesson.sections import (
    activation_table,
    cheat_sheet,
    choice,
    code,
    dead_units,
    explorer,
    mistakes,
    nonlinearity,
    playground,
    quiz,
    telephone,
    zero_centred,
)

# Makes what follows a section's opening from the rules of the sections before it; None where there is nothing.
Make = Callable[[Sequence[Rule]], Section | None]
_FEW_REPETITIONS = 20  # of timing the activations, where nothing else is measured


def path(effort: Effort | None, *, seed: int, say: Callable[[str], None]) -> list[Section]:
    """Every section, each opened by its question.

    Args:
        effort: how much to measure; None for what runs in the page alone.
        seed: the first of the seeds.
        say: called with one line before each section.
    """
    steps = _steps(
        Measured(effort, seed) if effort else None,
        functools.cache(lambda: timed(families(), repetitions=effort.cost_repetitions if effort else _FEW_REPETITIONS)),
    )
    made: list[Section] = []
    for number, (name, make) in enumerate(steps.items(), start=1):
        say(f"section {number} of {len(steps)}: {name.replace('-', ' ')}")
        section = opened(name, make([rule for earlier in made for rule in earlier.rules]))
        made += [section] if section else []
    return made


def _steps(found: Measured | None, costs: Callable[[], Mapping[str, float]]) -> Mapping[str, Make]:
    return {
        "nonlinearity": lambda _: nonlinearity.section(found.circles) if found else None,
        "explorer": lambda _: explorer.section(costs()),
        "telephone": lambda _: telephone.section(found.signals, seeds=found.effort.seeds) if found else None,
        "dead-units": lambda _: dead_units.section(found.dying, seeds=found.effort.seeds) if found else None,
        "zero-centred": lambda _: zero_centred.section(_centring(found) if found else None),
        "mistakes": lambda _: mistakes.section(_mistakes(found) if found else None),
        "choice": lambda rules: choice.section(found.deep if found else None, rules, _functions(costs())),
        "playground": lambda _: playground.section(),
        "quiz": lambda _: quiz.section(),
        "cheat-sheet": lambda _: cheat_sheet.section(),
    }


def _centring(found: Measured) -> zero_centred.Measured:
    return zero_centred.Measured(found.signs, found.centred_units, found.centred_networks, found.effort)


def _mistakes(found: Measured) -> mistakes.Measured:
    return mistakes.Measured(
        deep=found.deep,
        dead=found.dying,
        shallow=found.shallow,
        gradient_share=found.gradient_share,
        seeds=found.effort.seeds,
    )


def _functions(costs: Mapping[str, float]) -> list[Part]:
    """All activations in a table, and their code."""
    return [
        Folded("All activations: range, slope, cost, when to use them", [activation_table.table(costs)]),
        Folded("Code to copy for each of them, in PyTorch and Keras", [code.code()]),
    ]
