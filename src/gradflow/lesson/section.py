"""What a section of the lesson consists of: words, figures with their controls, tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import altair as alt

from gradflow.figures.table import Table

State = Mapping[str, Any]  # name of a control -> the value that it has


@dataclass(frozen=True)
class Control:
    """A slider or a select of the page; its value reaches the charts as the signal of its name.

    Attributes:
        name: of the signal.
        label: beside it.
        choices: text -> value, in their order.
        initial: the value at first.
        is_slider: a slider for numbers, a select for names.
        when: it is shown only in this state of other controls.
    """

    name: str
    label: str
    choices: Mapping[str, Any]
    initial: Any
    is_slider: bool = True
    when: State = field(default_factory=dict)

    @property
    def position(self) -> int:
        """The place of the initial value among the choices."""
        return list(self.choices.values()).index(self.initial)


@dataclass(frozen=True)
class Remark:
    """Terms and what there is to say of them, shown in one state of the controls."""

    when: State
    lines: Mapping[str, str]


@dataclass(frozen=True)
class Entry:
    """A line or a square of a legend.

    Attributes:
        dash: as in SVG, empty for a full line.
        is_square: a square instead of a line.
    """

    text: str
    colour: str
    dash: str = ""
    is_square: bool = False


@dataclass(frozen=True)
class Panel:
    """One chart.

    Attributes:
        title: above it; empty where the figure's is enough.
        chart: without size; it may use the controls' signals.
        height: in pixels.
    """

    title: str
    chart: alt.LayerChart
    height: int = 280


@dataclass(frozen=True)
class Figure:
    """Charts that follow the same controls, and the same as a picture.

    Attributes:
        name: of its files and of its place in the page.
        title: above it.
        reading: how to read it, a sentence or two.
        panels: in the page.
        picture: the panels of the static figure, in which nothing can be changed.
        columns: of the picture.
        controls: above the panels.
        legend: above the panels.
        remarks: beside the controls; those whose state is the present one are shown.
    """

    name: str
    title: str
    reading: str
    panels: list[Panel]
    picture: list[Panel]
    columns: int = 4
    controls: list[Control] = field(default_factory=list)
    legend: list[Entry] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


@dataclass(frozen=True)
class Rule:
    """A rule of thumb, and the numbers of this very page that speak for it."""

    text: str
    measured: str


@dataclass(frozen=True)
class Section:
    """A heading with what stands below it.

    Attributes:
        name: of its place in the page, after `section-`.
        title: its heading.
        paragraphs: plain text.
        parts: figures and tables in their order.
        rules: what follows from it; the last section lists them all.
    """

    name: str
    title: str
    paragraphs: list[str]
    parts: list[Figure | Table]
    rules: list[Rule] = field(default_factory=list)

    @property
    def figures(self) -> list[Figure]:
        return [part for part in self.parts if isinstance(part, Figure)]
