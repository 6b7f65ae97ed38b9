"""Dead, dormant and low-slope units as maps: layer by epoch."""

from typing import Any

import altair as alt
import pandas as pd

from gradflow.figures import marks
from gradflow.figures.marks import Legend, blocks_text, heading
from gradflow.figures.palette import HEAT
from gradflow.figures.panels import Figure, Panel
from gradflow.report.frames import BEFORE
from gradflow.runs.metrics import MetricTable
from gradflow.runs.tags import TOTAL, of_layer
from gradflow.study.configurations import groups


def units(frame: pd.DataFrame, legend: Legend, *, quantity: str) -> Figure:
    """A unit statistic by layer and epoch as colour, a panel for each configuration; no panels where it is all zero."""
    frame = frame[frame["quantity"] == quantity]
    metric = MetricTable()[of_layer(quantity, TOTAL)]
    title = metric.words.capitalize()
    highest = float(frame["mean"].max()) if len(frame) else 0.0
    if not highest > 0:
        reading = f"None in any layer of any finished run at any epoch ({metric.meaning})."
        return Figure(name=quantity, title=title, reading=reading, panels=[])
    scale = alt.Scale(range=list(HEAT), domain=[0, highest])
    color = alt.Color("mean:Q", title=metric.with_unit, scale=scale)
    tooltip = marks.tooltip(
        metric,
        *(("activation", legend.compared), ("depth", "hidden blocks"), ("layer", "layer"), ("epoch", "epoch")),
    )
    panels = []
    for keys, part in groups(frame, ["variant", "activation", "blocks"]):
        depth = marks.depth_text(keys["blocks"])
        base = alt.Chart(marks.data(part, ["activation", "layer", "epoch", "n", "mean", "low", "high"]))
        cells = base.mark_rect().encode(x=_epochs(part), y=_layers(part), color=color, tooltip=tooltip)
        title_of_panel = heading(keys["activation"], blocks_text(depth), keys["variant"])
        chart = marks.with_interval(alt.LayerChart(layer=[cells]), metric)
        panels.append(Panel(title=title_of_panel, chart=chart, activation=keys["activation"], depth=depth or None))
    mean = "mean over the seeds (its interval under the pointer), " if marks.several_seeds(frame) else ""
    reading = f"Fraction of {metric.meaning}; {mean}by layer (input at the top) and epoch (0: {BEFORE})."
    return Figure(name=quantity, title=title, reading=reading, panels=panels, heat=("0 %", f"{100 * highest:.3g} %"))


def _epochs(part: pd.DataFrame) -> alt.X:
    axis = alt.Axis(labelOverlap="greedy", labelSeparation=5, labelAngle=0, ticks=False, domain=False)
    return alt.X("epoch:O", title="epoch", axis=axis, sort=_unique(part["epoch"]))


def _layers(part: pd.DataFrame) -> alt.Y:
    axis = alt.Axis(labelOverlap="parity", ticks=False, domain=False)
    return alt.Y("layer:N", title=None, sort=_unique(part["layer"]), axis=axis)


def _unique(column: pd.Series) -> list[Any]:
    return column.drop_duplicates().tolist()
