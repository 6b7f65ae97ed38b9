"""Section 7: which one to choose."""

from collections.abc import Sequence

import pandas as pd

from gradflow import invocation
from gradflow.advise import rules as advice
from gradflow.figures.table import Table
from gradflow.lesson.section import Folded, Part, Rule, Section
from gradflow.lesson.sections import deep as deep_network
from gradflow.lesson.sections.decisions import tree
from gradflow.lesson.sections.outputs import OUTPUTS
from gradflow.runs.health import listed
from gradflow.runs.words import capital

OUTPUTS_TABLE = Table(
    "The last layer, and the loss that goes with it.",
    ["what you predict", "output", "loss"],
    [[capital(one.target), one.output, one.loss] for one in OUTPUTS],
)
ADVICE = Table(
    f"The rules by which {invocation.tool('advise', 'STUDY')} judges your own studies.",
    ["finding", "holds when", "what helps"],
    [[rule.name, rule.condition, listed(rule.remedies)] for rule in advice.RULES],
)


def section(deep: pd.DataFrame | None, rules: Sequence[Rule], functions: Sequence[Part]) -> Section:
    """The section.

    Args:
        deep: `deep.trainings`; None where nothing was measured.
        rules: of the previous sections.
        functions: what is known about every activation.
    """
    measured = [] if deep is None else _measured(deep)
    own = [] if deep is None else deep_network.rules(deep)
    return Section(
        name="choice",
        title="Which one?",
        paragraphs=[
            "Answer two or three questions. Each piece of advice says how sure it is; most of that on hidden "
            "layers can be tried in the playground."
        ],
        parts=[
            tree(),
            OUTPUTS_TABLE,
            *functions,
            *measured,
            Folded("How gradflow judges your own networks", [ADVICE]),
            *(
                [Folded("Rules of thumb, with the numbers of this page", [_rules_table([*rules, *own])])]
                if rules
                else []
            ),
        ],
    )


def _measured(deep: pd.DataFrame) -> list[Part | Table]:
    by_building, by_activation = (f"{100 * spread:.0f}" for spread in deep_network.spreads(deep))
    return [
        deep_network.figure(deep),
        Folded(
            f"How the network is built changes the accuracy by {by_building} points on average, the activation by "
            f"{by_activation}",
            [deep_network.table(deep)],
        ),
    ]


def _rules_table(rules: Sequence[Rule]) -> Table:
    return Table(
        "Rules of thumb, and what this page measured.",
        ["rule", "measured"],
        [[rule.text, rule.measured] for rule in rules],
    )
