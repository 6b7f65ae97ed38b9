"""What the page's scripts know about each activation beyond its formula."""

import functools
import math
from typing import Any

from gradflow.figures.palette import activation_colours, activation_dashes, activation_shapes
from gradflow.lesson.experiments.explorer import Known, known
from gradflow.lesson.experiments.families import MAXOUT, families
from gradflow.lesson.usage import USAGE


@functools.cache
def usual() -> dict[str, Known]:
    """What is known about each function of one input, by name, with its usual parameters."""
    return {family.name: known(family.make()) for family in families() if family.name != MAXOUT}


def facts() -> dict[str, Any]:
    """`activations`: name -> what stands below, for each function of one input with its usual parameters.

    - `title`, `source`, `useWhen`, `avoidWhen`: words
    - `colour`, `shape`, `dash`: the report's (a shape is a key of `palette.MARK_PATHS`)
    - `lower`, `upper`: of the output, null for no limit
    - `largestSlope`, `zeroCentred`
    - `flat`: ranges [low, high] of z in which the slope is under 5 % of the largest, null for no end
    """
    found = [family for family in families() if family.name in usual()]
    names = [family.name for family in found]
    colours, shapes, dashes = activation_colours(names), activation_shapes(names), activation_dashes(names)
    return {
        "activations": {
            family.name: {
                "title": family.title,
                "source": family.source,
                "colour": colours[family.name],
                "shape": shapes[family.name],
                "dash": " ".join(map(str, dashes[family.name])),
                **_numbers(usual()[family.name]),
                "useWhen": USAGE[family.name].use_when,
                "avoidWhen": USAGE[family.name].avoid_when,
            }
            for family in found
        }
    }


def _numbers(of: Known) -> dict[str, Any]:
    return {
        "lower": _finite(of.lower),
        "upper": _finite(of.upper),
        "largestSlope": of.largest_slope,
        "zeroCentred": of.zero_centred,
        "flat": [[_finite(low), _finite(high)] for low, high in of.flat],
    }


def _finite(value: float) -> float | None:
    return round(value, 8) + 0.0 if math.isfinite(value) else None
