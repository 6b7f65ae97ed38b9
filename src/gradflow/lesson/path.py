"""The lesson's path: its sections in the order in which a student meets them."""

from collections.abc import Callable, Mapping, Sequence

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
from gradflow.lesson.openings import opened
from gradflow.lesson.section import Rule, Section
from gradflow.lesson.sections import choice as choice_section
from gradflow.lesson.sections import dead_units as dead_units_section
from gradflow.lesson.sections import explorer as explorer_section
from gradflow.lesson.sections import nonlinearity as nonlinearity_section
from gradflow.lesson.sections import telephone as telephone_section
from gradflow.lesson.sections import zero_centred as zero_centred_section

# Makes what follows a section's opening from the rules of the sections before it; None where there is nothing.
Make = Callable[[Sequence[Rule]], Section | None]


def path(effort: Effort | None, *, seed: int, say: Callable[[str], None]) -> list[Section]:
    """Every section, each opened by its question.

    Args:
        effort: how much to measure; None for what runs in the page alone.
        seed: the first of the seeds.
        say: called with one line before each section.
    """
    steps = _measured(effort, seed) if effort else _live()
    made: list[Section] = []
    for number, (name, make) in enumerate(steps.items(), start=1):
        say(f"section {number} of {len(steps)}: {name.replace('-', ' ')}")
        section = opened(name, make([rule for earlier in made for rule in earlier.rules]))
        made += [section] if section else []
    return made


def _measured(effort: Effort, seed: int) -> Mapping[str, Make]:
    return {
        "nonlinearity": lambda _: nonlinearity_section.section(nonlinearity.classifiers(effort, seed=seed)),
        "explorer": lambda _: _explorer(effort),
        "telephone": lambda _: telephone_section.section(telephone.signals(effort, seed=seed), seeds=effort.seeds),
        "dead-units": lambda _: dead_units_section.section(dead_units.trainings(effort, seed=seed), seeds=effort.seeds),
        "zero-centred": lambda _: _zero_centred(effort, seed),
        "choice": lambda rules: _choice(effort, seed, rules),
    }


def _live() -> Mapping[str, Make]:
    """Without anything that is measured while the page is built."""
    return {name: lambda _: None for name in ("nonlinearity", "telephone", "dead-units")}


def _explorer(effort: Effort) -> Section:
    found = families.families(most_values=effort.parameter_values)
    facts = {(family.name, value): explorer.known(family.make(value)) for family in found for value in family.values}
    costs = explorer.costs(found, repetitions=effort.cost_repetitions)
    curves = explorer.curves(found)
    return explorer_section.section(found, curves, facts, costs, repetitions=effort.cost_repetitions)


def _zero_centred(effort: Effort, seed: int) -> Section:
    signs = {name: zero_centred.sign_structure(name, seed=seed) for name in zero_centred.ACTIVATIONS}
    units, networks = centred_unit.units(seed=seed), centred_network.trainings(effort, seed=seed)
    return zero_centred_section.section(signs, units, networks, effort)


def _choice(effort: Effort, seed: int, rules: Sequence[Rule]) -> Section:
    trained = mistakes.trainings(effort, seed=seed)
    share = mistakes.gradient_share(seed=seed)
    deeply = deep.trainings(effort, seed=seed)
    return choice_section.section(deeply, trained, rules, seeds=effort.seeds, gradient_share=share)
