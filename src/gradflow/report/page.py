"""The report as one self-contained HTML page: no network, no other file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import jinja2
from markupsafe import Markup

from gradflow.errors import printable
from gradflow.figures.inline import chart_options, script_json, vega_library
from gradflow.figures.marks import Legend
from gradflow.figures.palette import MARK_PATHS
from gradflow.figures.panels import Figure, Section, interactive
from gradflow.figures.table import Table
from gradflow.report.found import Found
from gradflow.runs.words import axis_words, capital
from gradflow.study.answer import Answer
from gradflow.study.comparison.evidence import ALPHA
from gradflow.study.how_sure import Evidence

_TEMPLATE = Path(__file__).parent / "template"
_STRENGTHS = {
    "shown": "By the exact sign-flip test, paired by seed and corrected (Holm) for the number of comparisons: the "
    f"chance of one false claim or more is at most {100 * ALPHA:g} %.",
    "suggested": "By the paired t test, corrected in the same way. There are fewer seeds than the exact test needs, "
    "and this one assumes that the differences are roughly normal.",
    "open": "Neither. That does not say that both are equally good: with more seeds a difference may show.",
}


@dataclass(frozen=True)
class Note:
    """What a reader should know besides, with a command to type."""

    text: str
    command: str = ""


@dataclass(frozen=True)
class Content:
    """The words and tables of a report; the page escapes all of them.

    Attributes:
        answer: to the study's question.
        setting: data and network.
        facts: on the runs, below the answer.
        evidence: of the comparisons by the headline; None without any.
        notes: below the main figure.
        comparisons: a sentence on each.
        details: what they rest on together.
        differences: of new images and new seeds; without rows if there are none.
        intervals: what they cover; empty where there are none.
        findings: of the study's advice.
        tables: of the averages by title, the main one first; empty if nothing has finished.
        failures: the runs that are in no average.
        provenance: term -> its values.
    """

    answer: Answer
    setting: str
    facts: str
    evidence: Evidence | None
    notes: list[Note]
    comparisons: list[str]
    details: list[str]
    differences: Table
    intervals: list[str]
    findings: Found
    tables: list[tuple[str, Table]]
    failures: Table
    provenance: Mapping[str, list[str]]

    @property
    def measured(self) -> str:
        """The answer's metric as a sentence."""
        return f"{capital(self.answer.measured)}."


def page(content: Content, figures: Sequence[Figure], legend: Legend) -> str:
    """The page as text.

    Args:
        content: words and tables.
        figures: in order within their sections; of one without panels only the text is shown.
        legend: of the study; its entries become the buttons that show and hide.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    sections, specs = _sections(figures)
    return environment.get_template("page.html").render(
        content=content,
        contents=_contents(content, sections),
        sections=sections,
        strengths=_STRENGTHS,
        legend=_legend(legend),
        specs=script_json(specs) if specs else "",
        style=_asset("page.css"),
        script=chart_options() + _asset("page.js"),
        controls=_asset("controls.js"),
        library=vega_library() if specs else "",
    )


def _contents(content: Content, sections: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Anchor and title of every part of the page below the answer."""
    parts = {
        "statistics": ("Statistics", content.comparisons or content.intervals),
        "findings": ("What is wrong, and what helps", True),
        "training": ("Learning curves", sections["training"]),
        "layers": ("Layers", sections["layers"]),
        "tables": ("Tables", content.tables),
        "provenance": ("What was run", True),
        "left-out": ("Runs that are in no average", True),
    }
    return [(anchor, title) for anchor, (title, is_there) in parts.items() if is_there]


def _sections(figures: Sequence[Figure]) -> tuple[dict[str, list[dict[str, Any]]], dict[str, Any]]:
    """What the template needs for each figure of each section, and each panel's specification by its element's id."""
    sections: dict[str, list[dict[str, Any]]] = {name: [] for name in get_args(Section)}
    specs = {}
    for figure in figures:
        panels = []
        for number, panel in enumerate(figure.panels):
            place = f"{figure.name}-{number}"
            specs[place] = interactive(figure, panel)
            panels.append({"id": place, "title": panel.title, "activation": panel.activation, "depth": panel.depth})
        sections[figure.section].append({"figure": figure, "height": figure.size[1], "panels": panels})
    return sections, specs


def _legend(legend: Legend) -> list[dict[str, Any]]:
    activations = [
        _key(name, legend.names[name], colour, legend.shapes[name], legend.dashes[name])
        for name, colour in legend.colours.items()
    ]
    depths = [
        _key(depth, depth, colour, legend.depth_shapes[depth], legend.depth_dashes[depth])
        for depth, colour in legend.depths.items()
    ]
    compared = capital(axis_words(legend.compared))
    groups = (("activation", compared, activations), ("depth", "Hidden blocks", depths))
    return [{"kind": kind, "title": title, "entries": entries} for kind, title, entries in groups if len(entries) > 1]


def _key(value: str, name: str, colour: str, shape: str, dash: Sequence[int]) -> dict[str, str]:
    """What the template needs for one button: its line and mark as in the charts."""
    return {"value": value, "name": name, "colour": colour, "path": MARK_PATHS[shape], "dash": " ".join(map(str, dash))}


def _asset(name: str) -> Markup:
    return Markup((_TEMPLATE / name).read_text(encoding="utf-8"))
