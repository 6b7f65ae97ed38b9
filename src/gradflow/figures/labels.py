"""Names at the ends of lines, where they need no legend: places that do not overlap, and what is drawn."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
from scipy.optimize import isotonic_regression

from gradflow.figures.marks import ValueAxis

LINE = 14  # pixels from one name to the next
_GAP, _LEADER = 13, 24  # pixels from the end of a line to the leader, and to the name
_WIDEST = 150  # pixels of a name


@dataclass(frozen=True)
class Ruler:
    """From values to pixels above the lower end of an axis and back.

    Attributes:
        domain: values at its ends.
        height: in pixels.
        is_logarithmic: whether the axis is.
    """

    domain: tuple[float, float]
    height: float
    is_logarithmic: bool

    def pixels(self, value: float) -> float:
        low, high, at = (math.log10(v) if self.is_logarithmic else v for v in (*self.domain, value))
        return self.height * (at - low) / (high - low)

    def value(self, pixels: float) -> float:
        low, high = (math.log10(v) if self.is_logarithmic else v for v in self.domain)
        at = low + (high - low) * pixels / self.height
        return 10.0**at if self.is_logarithmic else at


def label_places(ends: Sequence[float], ruler: Ruler) -> list[float]:
    """Values at which the names of lines stand: as near to the lines' ends as possible without overlap.

    Args:
        ends: the last value of each line.
        ruler: of the axis.

    Returns:
        One for each line; empty where there is no room for all of them.
    """
    room = ruler.height - LINE * (len(ends) - 1)
    if not ends or room < 0:
        return []
    wanted = np.array([ruler.pixels(end) for end in ends])
    order = np.argsort(wanted, kind="stable")
    steps = LINE * np.arange(len(ends))
    # At least LINE apart means: in order, once the steps are taken away. The least squares of that is a regression.
    placed = np.clip(isotonic_regression(wanted[order] - steps).x, 0, room) + steps
    found = dict(zip(order.tolist(), placed.tolist(), strict=True))
    return [ruler.value(found[i]) for i in range(len(ends))]


def labels(
    base: alt.Chart, *, x: alt.X, place: str, y: ValueAxis, end: str, label: str, name: str, color: alt.Color
) -> list[alt.Chart]:
    """The names, and a thin line from each to the end of its line.

    Args:
        base: with the rows of the labels.
        x: of the lines.
        place: the field of the lines' ends on it.
        y: of the lines.
        end: the field of the last value of a line.
        label: the field of the value at which its name stands.
        name: the field of the name.
        color: of the lines.
    """
    leader = base.mark_rule(strokeWidth=1, xOffset=_GAP, x2Offset=_LEADER - 2)
    # The page's own colour of text: no other is both light and dark enough for letters on both backgrounds.
    text = base.mark_text(align="left", baseline="middle", dx=_LEADER, limit=_WIDEST, color="currentColor")
    return [
        leader.encode(x=x, x2=place, y=y.of(end), y2=label, color=color),
        text.encode(x=x, y=y.of(label), text=alt.Text(field=name, type="nominal")),
    ]
