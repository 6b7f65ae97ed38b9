"""Building blocks of the lesson's charts, and their static pictures."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import altair as alt
import pandas as pd
import vl_convert

from gradflow.figures import marks
from gradflow.figures.palette import activation_colours
from gradflow.lesson.numbers import percent
from gradflow.lesson.section import Entry, Figure, Panel

PICTURE_WIDTH, PICTURE_SCALE = 250, 2.0  # pixels of a panel; scale of the PNG
PERCENT, WHOLE = "~%", "d"  # number formats of d3
_SQUARES: dict[str, Any] = {"symbolType": "square", "symbolSize": 120}  # in a picture's legend
_STROKES: dict[str, Any] = {"symbolType": "stroke", "symbolSize": 700}
DASHES = ("", "7 3", "2 3", "9 3 2 3", "5 5", "1 4")


def colours(names: Sequence[str]) -> dict[str, str]:
    """Name -> colour, the report's for activations."""
    return activation_colours(names)


def dashes(names: Sequence[str]) -> dict[str, str]:
    """Name -> dash pattern as in SVG, so that lines differ in more than colour."""
    return {name: DASHES[i % len(DASHES)] for i, name in enumerate(names)}


def line_legend(names: Sequence[str]) -> list[Entry]:
    """One entry per line, as `colour_of` and `dash_of` draw it."""
    patterns = dashes(names)
    return [Entry(name, colour, patterns[name]) for name, colour in colours(names).items()]


def colour_of(field: str, names: Sequence[str]) -> alt.Color:
    return marks.colour(colours(names), field=field, title="")


def dash_of(field: str, names: Sequence[str]) -> alt.StrokeDash:
    patterns = [[int(part) for part in pattern.split()] or [1, 0] for pattern in dashes(names).values()]
    scale = alt.Scale(domain=list(names), range=patterns)
    return alt.StrokeDash(field=field, type="nominal", title="", scale=scale)


def quantity(
    field: str, title: str | None, *, domain: Sequence[float] | None = None, axis_format: str = "", log: bool = False
) -> dict[str, Any]:
    """Arguments of a quantitative channel."""
    scale: dict[str, Any] = {"type": "log"} if log else {"zero": False}
    extent: dict[str, Any] = {"domain": list(domain), "nice": False} if domain else {}
    step = 1 if axis_format == WHOLE else alt.Undefined
    axis = alt.Axis(format=axis_format, tickCount=5, tickMinStep=step, labelOverlap="greedy")
    return {"field": field, "type": "quantitative", "title": title, "scale": alt.Scale(**scale, **extent), "axis": axis}


def layers(*charts: alt.Chart, data: pd.DataFrame | alt.InlineData, where: str | None = None) -> alt.LayerChart:
    """Charts on top of one another, drawn from the same rows or some of them.

    Args:
        charts: without data.
        data: a frame, or rows.
        where: which rows, a Vega expression of `datum` and of the controls' signals.
    """
    rows = data if isinstance(data, alt.InlineData) else marks.data(data, list(data.columns))
    chart = alt.LayerChart(layer=list(charts), data=rows)
    return chart.transform_filter(where) if where else chart


def fractions_by_epoch(
    frame: pd.DataFrame,
    field: str,
    title: str,
    *,
    by: str,
    names: Sequence[str],
    where: str | None = None,
    marker: str | None = None,
    is_labelled: bool = False,
) -> alt.LayerChart:
    """One line per network, from 0 to 100 %.

    Args:
        frame: columns epoch, `by`, `field`.
        field: a fraction.
        title: of the axis.
        by: the column that distinguishes the lines.
        names: its values, in the legend's order.
        where: as in `layers`.
        marker: signal of a control; a vertical rule marks its epoch.
        is_labelled: whether each line's last value stands at its end.
    """
    x = alt.X(**quantity("epoch", "epoch", axis_format=WHOLE))
    highest = 1.15 if is_labelled else 1.02  # room for a label above 100 %, so that plots side by side are alike
    y = alt.Y(**quantity(field, title, domain=(-0.02, highest), axis_format=PERCENT))
    base = alt.Chart().encode(x=x, color=colour_of(by, names))
    line = base.mark_line(strokeWidth=2.2).encode(y=y, strokeDash=dash_of(by, names))
    tooltip = [alt.Tooltip(f"{by}:N", title="network"), "epoch:Q", alt.Tooltip(f"{field}:Q", title=title, format=".1%")]
    hover = base.mark_point(size=120, opacity=0, filled=True).encode(y=y, tooltip=tooltip)
    rule = alt.Chart().transform_filter(f"datum.epoch === {marker}").mark_rule(opacity=0.3, color="gray").encode(x=x)
    label = (
        base.transform_filter(f"datum.epoch === {frame['epoch'].max()}")
        .mark_text(align="right", dy=-12, fontSize=16, fontWeight="bold")
        .encode(y=y, text="label:N")
    )
    under, over = ([rule] if marker else []), ([label] if is_labelled else [])
    rows = frame.assign(label=frame[field].map(percent)) if is_labelled else frame
    return layers(*under, line, hover, *over, data=rows, where=where)


def specification(figure: Figure, panel: Panel) -> dict[str, Any]:
    """The Vega-Lite specification of a panel on the page, as wide as its box, with a signal for each control."""
    described = ": ".join(filter(None, [figure.title, panel.title, figure.found]))
    chart = panel.chart.properties(width="container", height=panel.height, description=described)
    params = [alt.param(name=control.name, value=control.initial) for control in figure.controls]
    return (chart.add_params(*params) if params else chart).to_dict()


def save(figure: Figure, folder: Path) -> None:
    """Write `<name>.png` and `<name>.svg`, on white and with a legend, to an existing folder."""
    svg = vl_convert.vegalite_to_svg(picture(figure).to_dict())
    (folder / f"{figure.name}.svg").write_text(svg, encoding="utf-8")
    (folder / f"{figure.name}.png").write_bytes(vl_convert.svg_to_png(svg, scale=PICTURE_SCALE))


def picture(figure: Figure) -> alt.ConcatChart:
    """All static panels in one chart."""
    panels = [
        panel.chart.properties(
            width=PICTURE_WIDTH,
            height=PICTURE_WIDTH * panel.aspect if panel.aspect else panel.height,
            **({"title": panel.title} if panel.title else {}),
        )
        for panel in figure.picture
    ]
    squares = bool(figure.legend) and all(entry.is_square for entry in figure.legend)
    symbol = _SQUARES if squares else _STROKES
    return (
        alt.concat(*panels, columns=figure.columns)
        .properties(title=alt.Title(figure.title, anchor="start", fontSize=16, offset=12), background="white")
        .configure_legend(orient="top", labelFontSize=12, labelLimit=400, **symbol)
        .configure_axis(labelFontSize=11, titleFontSize=12, titleFontWeight="normal", gridOpacity=0.4)
        .configure_view(stroke=None)
    )


def same(state: Mapping[str, Any]) -> str:
    """The Vega expression for rows whose columns have these values, text or numbers."""
    return " && ".join(f"datum.{name} === {json.dumps(value)}" for name, value in state.items())
