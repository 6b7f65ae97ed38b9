"""The lesson as one self-contained HTML page: no network, no other file."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup

from gradflow import report
from gradflow.figures.inline import chart_options, script_json, vega_library
from gradflow.lesson import marks
from gradflow.lesson.section import Section

TITLE = "Activation functions, one experiment at a time"
SUBTITLE = (
    "Six sections, each with its own experiment. Every curve and every measured number was computed when this page was "
    "built; the sliders move through the computed results."
)
_TEMPLATE = Path(__file__).parent / "template"
_OF_REPORTS = Path(report.__file__).parent / "template"  # its tables and style are shared


def page(sections: Sequence[Section], provenance: Mapping[str, str]) -> str:
    """The page as text.

    Args:
        sections: in order.
        provenance: term -> text, on how the page was made.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([_TEMPLATE, _OF_REPORTS]), autoescape=True, undefined=jinja2.StrictUndefined
    )
    specs = {
        f"{figure.name}-{number}": marks.specification(figure, panel)
        for section in sections
        for figure in section.figures
        for number, panel in enumerate(figure.panels)
    }
    return environment.get_template("lesson.html").render(
        title=TITLE,
        subtitle=SUBTITLE,
        sections=sections,
        provenance=provenance,
        specs=script_json(specs),
        style=_text(_OF_REPORTS / "page.css") + _text(_TEMPLATE / "lesson.css"),
        script=chart_options() + _text(_TEMPLATE / "lesson.js"),
        library=vega_library(),
    )


def _text(file: Path) -> Markup:
    return Markup(file.read_text(encoding="utf-8"))
