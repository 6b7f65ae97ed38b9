"""The parts of a section of the lesson.

A part is a dataclass with the name of its template, which renders it as `part`. A new kind of part is such a class, a
file of that name in `template/`, and a script if it needs one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import altair as alt
from markupsafe import Markup

from gradflow.figures.table import Table

State = Mapping[str, Any]  # name of a control -> its value


class Part(Protocol):
    """Something in a section. `parts`, if it has them, are what stands inside it."""

    template: ClassVar[str]  # a file in template/


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
        aspect: height over width instead, where the plot's two axes have the same scale.
    """

    title: str
    chart: alt.LayerChart
    height: int = 280
    aspect: float | None = None


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
        found: what it shows, in numbers; also what a screen reader says of its charts.
    """

    template: ClassVar[str] = "figure.html"
    name: str
    title: str
    reading: str
    panels: list[Panel]
    picture: list[Panel]
    columns: int = 4
    controls: list[Control] = field(default_factory=list)
    legend: list[Entry] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    found: str = ""


@dataclass(frozen=True)
class Text:
    """Paragraphs: plain text, or markup where something in them is more than text."""

    template: ClassVar[str] = "text.html"
    paragraphs: Sequence[str | Markup]


@dataclass(frozen=True)
class Folded:
    """Parts behind a line that opens them."""

    template: ClassVar[str] = "folded.html"
    summary: str
    parts: Sequence["Part | Table"]


@dataclass(frozen=True)
class Live:
    """A small playground: two networks that train in the page, at a preset of `script/playground/presets.js`."""

    template: ClassVar[str] = "live.html"
    preset: str

    @property
    def place(self) -> str:
        """Its id on the page."""
        return f"live-{self.preset}"


@dataclass(frozen=True)
class Question:
    """A question to answer before its section goes on.

    Attributes:
        name: of its section.
        ask: the question.
        options: to choose from.
        answer: the index of the right one.
        why: shown after the choice, whichever it was.
        live: shown beside the question, the networks that it is about.
        run: shown after `why` once these have been played.
        hides: whether the parts after it are hidden, on a screen, until it is answered.
    """

    template: ClassVar[str] = "question.html"
    name: str
    ask: str
    options: Sequence[str]
    answer: int
    why: str | Markup
    live: Live | None = None
    run: str | Markup = ""
    hides: bool = True


@dataclass(frozen=True)
class Way:
    """One of two ways to write the same lines: what it is called, and its code."""

    title: str
    code: str


@dataclass(frozen=True)
class Mended:
    """A mistake beside the way out.

    Attributes:
        name: its id on the page; that of its figure, if it has one.
        title: its heading.
        why: what goes wrong, and in numbers how much.
        ways: the failing one and the mended one.
        figure: with one panel for each way; None where nothing was measured.
    """

    template: ClassVar[str] = "mended.html"
    name: str
    title: str
    why: str
    ways: tuple[Way, Way]
    figure: Figure | None

    @property
    def parts(self) -> list[Figure]:
        return [self.figure] if self.figure else []


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
        parts: in order.
        rules: what the section teaches; a later section lists them all.
        short: the title in the contents, if it is shorter there.
    """

    name: str
    title: str
    paragraphs: Sequence[str | Markup]
    parts: Sequence["Part | Table"]
    rules: list[Rule] = field(default_factory=list)
    short: str = ""

    @property
    def figures(self) -> list[Figure]:
        """All of them, those inside other parts too."""
        return [part for part in _with_inner(self.parts) if isinstance(part, Figure)]


def template_of(part: Part | Table) -> str:
    return "lesson_table.html" if isinstance(part, Table) else part.template


def _with_inner(parts: Sequence[Part | Table]) -> Iterator[Part | Table]:
    for part in parts:
        yield part
        yield from _with_inner(getattr(part, "parts", ()))
