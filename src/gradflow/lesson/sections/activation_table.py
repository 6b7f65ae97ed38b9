"""All activations in one table: what they are, what they cost, when to use them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from gradflow.lesson.experiments.explorer import COST_SHAPE, MATRIX_PRODUCT, Known
from gradflow.lesson.experiments.families import by_kind
from gradflow.lesson.facts import usual
from gradflow.lesson.numbers import short
from gradflow.lesson.usage import USAGE, Usage

HEADERS = ("range", "largest slope", "zero-centred", "flat", "cost", "use it when", "avoid it when")
_LEARNED = "learned"  # what can be said of a function that the network chooses


@dataclass(frozen=True)
class Row:
    """One activation: `cells` stand under `HEADERS`."""

    name: str
    title: str
    cells: Sequence[str]


@dataclass(frozen=True)
class ActivationTable:
    """The table, which becomes a card for each activation on a narrow screen."""

    template: ClassVar[str] = "activation_table.html"
    caption: str
    headers: Sequence[str]
    rows: Sequence[Row]


def table(costs: Mapping[str, float]) -> ActivationTable:
    """The table.

    Args:
        costs: by name, relative to ReLU, with that of `MATRIX_PRODUCT`.
    """
    samples, units = COST_SHAPE
    caption = (
        "With the usual parameters. Flat: where the slope is under 5 % of the largest. Cost: time of a forward and "
        f"backward pass over {samples} by {units} numbers, ReLU = 1, on the machine that built this page; the matrix "
        f"product of a layer with {units} inputs and units took {costs[MATRIX_PRODUCT]:.0f}."
    )
    rows = [
        Row(
            family.name,
            family.title,
            [
                *_facts(usual().get(family.name)),
                short(costs[family.name], 2),
                *_words(USAGE[family.name]),
            ],
        )
        for found in by_kind().values()
        for family in found
    ]
    return ActivationTable(caption, HEADERS, rows)


def _facts(known: Known | None) -> list[str]:
    if known is None:
        return [_LEARNED] * 4
    return [
        f"{short(known.lower)} to {short(known.upper)}",
        short(known.largest_slope),
        "yes" if known.zero_centred else "no",
        flat_text(known.flat),
    ]


def _words(usage: Usage) -> tuple[str, str]:
    return usage.use_when, usage.avoid_when


def flat_text(ranges: Sequence[tuple[float, float]]) -> str:
    """`z < 0, z > 6`, `|z| > 4.36` or `nowhere`."""
    if len(ranges) == 2 and abs(ranges[0][1] + ranges[1][0]) < 1e-6 and math.isinf(ranges[1][1]):
        return f"|z| > {short(ranges[1][0])}"
    return ", ".join(map(_range_text, ranges)) or "nowhere"


def _range_text(ends: tuple[float, float]) -> str:
    low, high = (0.0 if abs(end) < 1e-6 else end for end in ends)
    if math.isinf(low):
        return "everywhere" if math.isinf(high) else f"z < {short(high)}"
    return f"z > {short(low)}" if math.isinf(high) else f"{short(low)} to {short(high)}"
