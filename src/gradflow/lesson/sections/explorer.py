"""The functions, to be explored: a part that the page's scripts draw, and what the functions cost."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from gradflow.lesson.experiments.explorer import COST_SHAPE, MATRIX_PRODUCT
from gradflow.lesson.numbers import short
from gradflow.lesson.section import Rule, Section
from gradflow.lesson.sections.gallery import Thumbnail, gallery


@dataclass(frozen=True)
class Explorer:
    """Two functions with a z that moves, and below them small pictures of all.

    Attributes:
        chosen: name of the function that is shown first.
        beside: of the one that it is compared with.
        gallery: kind -> its functions, in the order of the lists to choose from.
    """

    template: ClassVar[str] = "explorer.html"
    chosen: str
    beside: str
    gallery: Mapping[str, Sequence[Thumbnail]]


def section(costs: Mapping[str, float]) -> Section:
    """The section.

    Args:
        costs: by name, relative to ReLU.
    """
    return Section(
        name="explorer",
        title="Meet the functions",
        paragraphs=[],
        parts=[Explorer("sigmoid", "relu", gallery())],
        rules=[_cost_rule(costs)],
    )


def _cost_rule(costs: Mapping[str, float]) -> Rule:
    functions = {name: cost for name, cost in costs.items() if name != MATRIX_PRODUCT}
    costliest = max(functions, key=functions.__getitem__)
    product = costs[MATRIX_PRODUCT]
    return Rule(
        "Choose an activation for how well the network learns with it: its layer costs more than the function."
        if functions[costliest] < product
        else "Look at an activation's cost, too: it may cost as much as its layer.",
        f"In a layer of {COST_SHAPE[1]} inputs and units, the matrix product takes {short(product)} times as long "
        f"as ReLU, the costliest function ({costliest}) {short(functions[costliest])} times, the median one "
        f"{short(statistics.median(functions.values()))} times.",
    )
