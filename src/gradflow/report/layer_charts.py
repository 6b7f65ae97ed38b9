"""The gradient of every layer, before the first update and at the end."""

import altair as alt
import pandas as pd

from gradflow.figures import marks
from gradflow.figures.marks import Legend, ValueAxis, heading
from gradflow.figures.panels import Figure, Panel
from gradflow.report.frames import AFTER, BEFORE
from gradflow.runs.metrics import MetricTable
from gradflow.runs.tags import GRAD_RMS
from gradflow.study.configurations import groups

GRADIENT_RMS = MetricTable()[f"{GRAD_RMS}/"]


def gradient_by_layer(frame: pd.DataFrame, legend: Legend) -> Figure:
    """Gradient by layer, before the first update and as the mean of the last epoch.

    Two panels for each activation with a line for each depth; where there are no depths to tell apart, two panels with
    a line for each activation.
    """
    extent = marks.domain(frame, GRADIENT_RMS)
    deep = len(legend.depths) > 1
    color = (
        marks.colour(legend.depths, field="depth", title="hidden blocks")
        if deep
        else marks.colour(legend.colours, field="activation", title=legend.compared)
    )
    y = ValueAxis(GRADIENT_RMS.with_unit, GRADIENT_RMS, domain=extent)
    axis = alt.Axis(format="d", tickMinStep=1, grid=False)
    x = alt.X("index:Q", title="layer (input to output)", axis=axis, scale=marks.extent(frame["index"]))
    tooltip = marks.tooltip(
        GRADIENT_RMS, ("activation", legend.compared), ("depth", "hidden blocks"), ("layer", "layer")
    )
    panels = []
    for keys, part in groups(frame, ["variant", *(["activation"] if deep else []), "moment"]):
        activation = keys.get("activation")
        lines = marks.banded_line(x=x, y=y, color=color, tooltip=tooltip, points=True)
        chart = alt.LayerChart(
            layer=lines, data=marks.data(part, ["activation", "layer", "index", "n", "mean", "low", "high"])
        )
        panels.append(
            Panel(
                title=heading(activation or "", keys["moment"], keys["variant"]),
                chart=marks.with_interval(chart, GRADIENT_RMS),
                activation=activation,
            )
        )
    reading = (
        f"Root mean square of each layer's weight gradient, {BEFORE} and as the mean over the {AFTER}; a line that "
        f"falls towards the left is a gradient that vanishes on its way to the input. "
        f"{marks.lines_and_bands(frame, unit=', of log10')}."
    )
    return Figure(name="gradient_by_layer", title="Gradient by layer", reading=reading, panels=panels)
