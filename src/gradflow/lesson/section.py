"""The parts of a section of the lesson: text, figures with their controls, tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import altair as alt

from gradflow.figures.table import Table

State = Mapping[str, Any]  # name of a control -> its value


@dataclass(frozen=True)
class Control:
    """A slider or drop-down list on the page; its value reaches the charts as a signal.

    Attributes:
        name: of the signal.
        label: shown next to it.
        choices: text -> value, in order.
        initial: the initial value.
        is_slider: a slider for numbers, a drop-down list for names.
        when: shown only in this state of other controls.
    """

    name: str
    label: str
    choices: Mapping[str, Any]
    initial: Any
    is_slider: bool = True
    when: State = field(default_factory=dict)

    @property
    def position(self) -> int:
        """The index of the initial value among the choices."""
        return list(self.choices.values()).index(self.initial)


@dataclass(frozen=True)
class Remark:
    """Terms with their text, shown in one state of the controls."""

    when: State
    lines: Mapping[str, str]


@dataclass(frozen=True)
class Entry:
    """A line or a square in a legend.

    Attributes:
        dash: as in SVG, empty for a solid line.
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
        title: shown above it; empty where the figure's title is enough.
        chart: without size; it may use the controls' signals.
        height: in pixels.
    """

    title: str
    chart: alt.LayerChart
    height: int = 280


@dataclass(frozen=True)
class Figure:
    """Charts that follow the same controls, and a static picture of them.

    Attributes:
        name: of its files, and its id on the page.
        title: shown above it.
        reading: how to read it, a sentence or two.
        panels: on the page.
        picture: the panels of the static picture.
        columns: of the picture.
        controls: above the panels.
        legend: above the panels.
        remarks: below the controls; shown while the controls are in their state.
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
    """A rule of thumb, and the numbers on this page that support it."""

    text: str
    measured: str


@dataclass(frozen=True)
class Section:
    """A heading and what follows it.

    Attributes:
        name: its id on the page, after `section-`.
        title: its heading.
        paragraphs: plain text.
        parts: figures and tables, in order.
        rules: what the section teaches; the last section lists them all.
    """

    name: str
    title: str
    paragraphs: list[str]
    parts: list[Figure | Table]
    rules: list[Rule] = field(default_factory=list)

    @property
    def figures(self) -> list[Figure]:
        return [part for part in self.parts if isinstance(part, Figure)]
