"""The report as one self-contained HTML page: no network, no other file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from gradflow.errors import printable
from gradflow.figures.inline import chart_options, script_json, vega_library
from gradflow.figures.marks import Legend
from gradflow.figures.palette import HEAT, MARK_PATHS
from gradflow.figures.panels import Figure, interactive
from gradflow.figures.table import Table
from gradflow.study.comparison.more_seeds import MoreSeeds
from gradflow.study.comparison.overall import Overall
from gradflow.study.treatments import ACTIVATION

_TEMPLATE = Path(__file__).parent / "template"


@dataclass(frozen=True)
class Verdict:
    """What the comparisons show together, a sentence on each of them, and the seeds that would show more."""

    overall: Overall
    comparisons: list[str] = field(default_factory=list)
    more: MoreSeeds | None = None


@dataclass(frozen=True)
class Content:
    """The words and tables of a report; the page escapes all of them.

    Attributes:
        study: its name.
        facts: one line below the title.
        verdict: of the comparisons by the headline.
        notes: below the verdict.
        tables: of the averages; empty if nothing has finished.
        failures: the runs that are in no average.
        provenance: term -> its values.
    """

    study: str
    facts: str
    verdict: Verdict
    notes: list[str]
    tables: list[Table]
    failures: Table
    provenance: Mapping[str, list[str]]


def page(content: Content, figures: Sequence[Figure], legend: Legend) -> str:
    """The page as text.

    Args:
        content: words and tables.
        figures: in order; of one without panels only the text is shown.
        legend: of the study; its entries become the buttons that show and hide.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: printable(value) if type(value) is str else value,
    )
    shown, specs = _figures(figures)
    return environment.get_template("page.html").render(
        content=content,
        figures=shown,
        legend=_legend(legend),
        heat=HEAT,
        specs=script_json(specs),
        style=_asset("page.css"),
        script=chart_options() + _asset("page.js"),
        library=vega_library() if specs else "",
    )


def _figures(figures: Sequence[Figure]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """What the template needs for each figure, and the specification of each panel by the id of its element."""
    shown, specs = [], {}
    for figure in figures:
        panels = []
        for number, panel in enumerate(figure.panels):
            place = f"{figure.name}-{number}"
            specs[place] = interactive(figure, panel)
            panels.append({"id": place, "title": panel.title, "activation": panel.activation, "depth": panel.depth})
        shown.append({"figure": figure, "height": figure.size[1], "panels": panels})
    return shown, specs


def _legend(legend: Legend) -> list[dict[str, Any]]:
    activations = [
        {"name": name, "colour": colour, "path": MARK_PATHS[legend.shapes[name]]}
        for name, colour in legend.colours.items()
    ]
    depths = [
        {"name": depth, "colour": colour, "path": MARK_PATHS["circle"]} for depth, colour in legend.depths.items()
    ]
    compared = "Activation" if legend.compared == ACTIVATION else legend.compared
    groups = (("activation", compared, activations), ("depth", "Hidden blocks", depths))
    return [{"kind": kind, "title": title, "entries": entries} for kind, title, entries in groups if len(entries) > 1]


def _asset(name: str) -> Markup:
    return Markup((_TEMPLATE / name).read_text(encoding="utf-8"))
