"""A figure of the report: small charts side by side, as a page lays them out and as one picture."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import altair as alt
import vl_convert

from gradflow.errors import printable
from gradflow.figures.clips import clipped_once
from gradflow.runs.metrics import PERCENT

WIDTH, HEIGHT, COLUMNS = 250, 190, 4  # pixels of a plot, panels in a row
ALONE_WIDTH, ALONE_HEIGHT = 460, 280  # of a figure's only panel
ROW_WIDTH, ROW_HEIGHT = 330, 230  # of a panel that has its place in a row
MULTIPLE_WIDTH, MULTIPLE_HEIGHT = 170, 130  # of one of several plots that share their axes
SCALE = 2.0  # of the PNG
MANY_ROWS = 1000  # of data, from which a chart of the page is pixels instead of as many elements
Section = Literal["answer", "training", "layers"]
HIDDEN_ACTIVATIONS, HIDDEN_DEPTHS = "hidden_activations", "hidden_depths"
Specification = dict[str, Any]  # of Vega-Lite
_ZOOM: Specification = {
    "name": "zoom",
    "bind": "scales",
    # The wheel alone scrolls the page.
    "select": {"type": "interval", "zoom": "wheel![event.ctrlKey || event.metaKey]"},
}
_PICTURE: Specification = {
    "title": {"anchor": "start"},
    "legend": {
        "orient": "top",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "symbolSize": 90,
        "symbolOpacity": 1,
        "symbolStrokeWidth": 1,
    },
    "axis": {"labelFontSize": 11, "titleFontSize": 12, "titleFontWeight": "normal", "gridOpacity": 0.4},
    "view": {"stroke": None},
}


@dataclass(frozen=True)
class Multiples:
    """Small multiples: the plots of one panel, with common axes.

    Attributes:
        field: of the rows, which says in which plot each stands; its values are the plots' titles.
        titles: these values, in order.
        columns: the most plots in a row.
    """

    field: str
    titles: list[str]
    columns: int


@dataclass(frozen=True)
class Panel:
    """One chart.

    Attributes:
        title: what distinguishes it from the other panels of its figure.
        layers: of one plot, where there are several; without size.
        rows: that they show.
        pointer: a layer of the same rows for the page only, that shows what is nearest to the pointer.
        multiples: the plots into which its rows are divided; None for a single one.
        activation: the one it shows, if it shows only one.
        depth: the one it shows, if it shows only one.
    """

    title: str
    layers: list[alt.Chart]
    rows: list[dict[str, Any]]
    pointer: alt.Chart | None = None
    multiples: Multiples | None = None
    activation: str | None = None
    depth: str | None = None


class Heat(NamedTuple):
    """The colour bar of a figure whose colours show a number.

    Attributes:
        lowest: the lowest value, as text.
        highest: the highest value, as text.
        colours: of these.
    """

    lowest: str
    highest: str
    colours: tuple[str, str]


@dataclass(frozen=True)
class Figure:
    """Panels with one sentence on how to read them.

    Attributes:
        name: of its files.
        reading: how to read it, one sentence.
        zooms: whether both axes can be zoomed.
        heat: the colour bar, where colour shows a number.
        columns: panels in a row, where they belong side by side; None for as many as fit.
        height: of the plot of each panel, in pixels, where it is not that of all figures.
        section: the part of the page in which it stands.
        spoken: what it shows, in one sentence for those who cannot see it.
    """

    name: str
    title: str
    reading: str
    panels: list[Panel]
    zooms: bool = False
    heat: Heat | None = None
    columns: int | None = None
    height: int | None = None
    section: Section = "training"
    spoken: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of each plot in pixels."""
        if any(panel.multiples for panel in self.panels):
            width, height = MULTIPLE_WIDTH, MULTIPLE_HEIGHT
        elif self.columns:
            width, height = ROW_WIDTH, ROW_HEIGHT
        else:
            width, height = (ALONE_WIDTH, ALONE_HEIGHT) if len(self.panels) == 1 else (WIDTH, HEIGHT)
        return width, self.height or height


def interactive(figure: Figure, panel: Panel) -> Specification:
    """The Vega-Lite specification of a panel in the page, its lines shown and hidden by the page.

    A single plot is as wide as its box; the page chooses the width of several, and how many stand in a row. The signals
    `hidden_activations` and `hidden_depths` hold what the reader has hidden.
    """
    width, height = figure.size
    layers = [_specified(layer) for layer in (*panel.layers, panel.pointer) if layer is not None]
    if figure.zooms:
        layers[0] = layers[0] | {"params": [_ZOOM]}
    plot = {"width": width if panel.multiples else "container", "height": height, "layer": layers}
    hidden = {HIDDEN_ACTIVATIONS: "activation", HIDDEN_DEPTHS: "depth"}
    return _printable(
        _divided(plot, panel)
        | {
            "$schema": alt.SCHEMA_URL,
            "data": {"values": panel.rows},
            "params": [{"name": signal, "value": []} for signal in hidden],
            "transform": [{"filter": f"indexof({signal}, datum.{field}) < 0"} for signal, field in hidden.items()],
            "usermeta": {"embedOptions": {"renderer": "canvas" if len(panel.rows) >= MANY_ROWS else "svg"}},
        }
    )


def picture(figure: Figure) -> Specification:
    """All panels in one chart of fixed size on white, with its legend."""
    width, height = figure.size
    panels = []
    for panel in figure.panels:
        plot = {"width": width, "height": height, "layer": [_specified(layer) for layer in panel.layers]}
        title = {"title": panel.title} if panel.title else {}
        panels.append(_divided(plot, panel) | title | {"data": {"values": panel.rows}})
    config = _PICTURE | ({"numberFormat": PERCENT} if figure.heat else {})
    return _printable(
        {
            "$schema": alt.SCHEMA_URL,
            "title": {"text": figure.title, "anchor": "start", "fontSize": 16, "offset": 12},
            "background": "white",
            "config": config,
            "concat": panels,
            "columns": figure.columns or COLUMNS,
        }
    )


def _specified(layer: alt.Chart) -> Specification:
    """What a layer adds to a specification.

    Layers are combined as plain specifications: Altair would copy and check all of them, and their rows, at every step,
    which takes longer than all else. Each was compared with Vega-Lite's schema when it was made.
    """
    with alt.data_transformers.enable(consolidate_datasets=False):
        found: Specification = layer.to_dict(validate=False)
    of_the_whole = ("$schema", "config", *(["data"] if layer.data is alt.Undefined else []))
    return {key: value for key, value in found.items() if key not in of_the_whole}


def _divided(plot: Specification, panel: Panel) -> Specification:
    """The plot for each of the panel's multiples."""
    if panel.multiples is None:
        return plot
    field, titles, columns = panel.multiples.field, panel.multiples.titles, panel.multiples.columns
    header = {"labelAnchor": "start", "labelFontWeight": "bold", "labelPadding": 4}
    facet = {"field": field, "type": "nominal", "title": None, "sort": titles, "header": header}
    return {"facet": facet, "columns": columns, "spec": plot}


def save(figure: Figure, folder: Path) -> None:
    """`<name>.png`, `.svg` and `.pdf` in a folder that exists."""
    svg = clipped_once(vl_convert.vegalite_to_svg(picture(figure)))
    (folder / f"{figure.name}.svg").write_text(svg, encoding="utf-8")
    (folder / f"{figure.name}.png").write_bytes(vl_convert.svg_to_png(svg, scale=SCALE))
    (folder / f"{figure.name}.pdf").write_bytes(vl_convert.svg_to_pdf(svg))


def _printable(specification: Any) -> Any:
    """The specification with printable names: what a picture's XML does not allow ends the whole process."""
    if isinstance(specification, dict):
        return {key: _printable(value) for key, value in specification.items()}
    if isinstance(specification, list | tuple):
        return [_printable(value) for value in specification]
    return printable(specification) if isinstance(specification, str) else specification
