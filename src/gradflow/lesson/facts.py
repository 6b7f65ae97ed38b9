"""What the page's scripts know about each activation beyond its formula."""

import functools
import math
from typing import Any

from gradflow.figures.palette import activation_colours
from gradflow.lesson.experiments.explorer import Known, known
from gradflow.lesson.experiments.families import MAXOUT, families


@functools.cache
def usual() -> dict[str, Known]:
    """What is known about each function of one input, by name, with its usual parameters."""
    return {family.name: known(family.make()) for family in families() if family.name != MAXOUT}


def facts() -> dict[str, Any]:
    """`activations`: name -> what stands below, for each function of one input with its usual parameters.

    - `title`, `source`: words
    - `colour`: the report's
    - `lower`, `upper`: of the output, null for no limit
    """
    found = [family for family in families() if family.name in usual()]
    colours = activation_colours([family.name for family in found])
    return {
        "activations": {
            family.name: {
                "title": family.title,
                "source": family.source,
                "colour": colours[family.name],
                "lower": _finite(usual()[family.name].lower),
                "upper": _finite(usual()[family.name].upper),
            }
            for family in found
        }
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
