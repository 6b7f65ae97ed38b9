"""The lesson as one self-contained HTML page: no network, no other file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from gradflow import report
from gradflow.figures.inline import chart_options, script_json, vega_library
from gradflow.lesson import marks, scripts
from gradflow.lesson.section import Section, template_of

TITLE = "Activation functions, live"
SUBTITLE = "Small networks train while you watch. Guess first, then press play."
_TEMPLATE = Path(__file__).parent / "template"
_OF_REPORTS = Path(report.__file__).parent / "template"  # its tables and style are shared


def page(sections: Sequence[Section], provenance: Mapping[str, str], data: Mapping[str, Any]) -> str:
    """The page as text, with the drawing library if a section has figures.

    Args:
        sections: in order.
        provenance: term -> text, on how the page was made.
        data: what the scripts read with `lesson.data(name)`, by name.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([_TEMPLATE, _OF_REPORTS]), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["template_of"] = template_of
    specs = _specifications(sections)
    return environment.get_template("lesson.html").render(
        title=TITLE,
        subtitle=SUBTITLE,
        sections=sections,
        provenance=provenance,
        data={name: script_json(value) for name, value in {**data, **({"specs": specs} if specs else {})}.items()},
        style=_style(),
        library=vega_library() + chart_options() if specs else "",
        engine=scripts.engine(),
        script=scripts.page(),
    )


def _specifications(sections: Sequence[Section]) -> dict[str, Any]:
    """The id of each chart's place -> its Vega-Lite specification."""
    return {
        f"{figure.name}-{number}": marks.specification(figure, panel)
        for section in sections
        for figure in section.figures
        for number, panel in enumerate(figure.panels)
    }


def _style() -> Markup:
    """The report's style, the lesson's, then one file for each kind of part."""
    own = _TEMPLATE / "lesson.css"
    rest = sorted(file for file in _TEMPLATE.glob("*.css") if file != own)
    return Markup("\n".join(file.read_text(encoding="utf-8") for file in (_OF_REPORTS / "page.css", own, *rest)))
