"""A figure of the report: small charts side by side, as a page lays them out and as one picture."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import altair as alt
import vl_convert

from gradflow.errors import printable
from gradflow.runs.metrics import PERCENT

WIDTH, HEIGHT, COLUMNS = 250, 190, 4  # pixels of a panel, panels in a row
ALONE_WIDTH, ALONE_HEIGHT = 460, 280  # of a figure's only panel
ROW_WIDTH, ROW_HEIGHT = 330, 230  # of a panel that has its place in a row
SCALE = 2.0  # of the PNG
Section = Literal["answer", "training", "layers"]
HIDDEN_ACTIVATIONS, HIDDEN_DEPTHS = "hidden_activations", "hidden_depths"


@dataclass(frozen=True)
class Panel:
    """One small chart.

    Attributes:
        title: what distinguishes it from the other panels of its figure.
        chart: without size and interaction.
        pointer: a layer of the same data for the page only, that shows what is nearest to the pointer.
        activation: the one it shows, if it shows only one.
        depth: the one it shows, if it shows only one.
    """

    title: str
    chart: alt.LayerChart
    pointer: alt.Chart | None = None
    activation: str | None = None
    depth: str | None = None


@dataclass(frozen=True)
class Figure:
    """Panels with one sentence on how to read them.

    Attributes:
        name: of its files.
        reading: how to read it, one sentence.
        zooms: whether both axes can be zoomed.
        heat: lowest and highest value of the colour bar, as text, where colour shows a number.
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
    heat: tuple[str, str] | None = None
    columns: int | None = None
    height: int | None = None
    section: Section = "training"
    spoken: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of each panel's plot in pixels."""
        if self.columns:
            width, height = ROW_WIDTH, ROW_HEIGHT
        else:
            width, height = (ALONE_WIDTH, ALONE_HEIGHT) if len(self.panels) == 1 else (WIDTH, HEIGHT)
        return width, self.height or height


def interactive(figure: Figure, panel: Panel) -> dict[str, Any]:
    """The Vega-Lite specification of a panel in the page: as wide as its box, its lines shown and hidden by the page.

    The signals `hidden_activations` and `hidden_depths` hold what the reader has hidden.
    """
    chart = panel.chart if panel.pointer is None else panel.chart + panel.pointer
    chart = chart.properties(width="container", height=figure.size[1])
    for signal, field in ((HIDDEN_ACTIVATIONS, "activation"), (HIDDEN_DEPTHS, "depth")):
        chart = chart.add_params(alt.param(name=signal, value=[]))
        chart = chart.transform_filter(f"indexof({signal}, datum.{field}) < 0")
    if figure.zooms:
        # The wheel alone scrolls the page.
        chart = chart.add_params(
            alt.selection_interval(name="zoom", bind="scales", zoom="wheel![event.ctrlKey || event.metaKey]")
        )
    return _printable(chart.to_dict())


def picture(figure: Figure) -> alt.ConcatChart:
    """All panels in one chart of fixed size on white, with its legend."""
    width, height = figure.size
    panels = [
        panel.chart.properties(width=width, height=height, **({"title": panel.title} if panel.title else {}))
        for panel in figure.panels
    ]
    return (
        alt.concat(*panels, columns=figure.columns or COLUMNS)
        .properties(title=alt.Title(figure.title, anchor="start", fontSize=16, offset=12), background="white")
        .configure(numberFormat=PERCENT if figure.heat else alt.Undefined)
        .configure_legend(orient="top", labelFontSize=12, titleFontSize=12, symbolSize=90, symbolOpacity=1)
        .configure_axis(labelFontSize=11, titleFontSize=12, titleFontWeight="normal", gridOpacity=0.4)
        .configure_view(stroke=None)
    )


def save(figure: Figure, folder: Path) -> None:
    """`<name>.png`, `.svg` and `.pdf` in a folder that exists."""
    svg = vl_convert.vegalite_to_svg(_printable(picture(figure).to_dict()))
    (folder / f"{figure.name}.svg").write_text(svg, encoding="utf-8")
    (folder / f"{figure.name}.png").write_bytes(vl_convert.svg_to_png(svg, scale=SCALE))
    (folder / f"{figure.name}.pdf").write_bytes(vl_convert.svg_to_pdf(svg))


def _printable(specification: Any) -> Any:
    """The specification with printable names: what a picture's XML does not allow ends the whole process."""
    if isinstance(specification, dict):
        return {key: _printable(value) for key, value in specification.items()}
    if isinstance(specification, list):
        return [_printable(value) for value in specification]
    return printable(specification) if isinstance(specification, str) else specification
