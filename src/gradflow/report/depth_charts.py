"""The figures of a report: one function each, from a tidy frame to panels of Vega-Lite charts."""

import altair as alt
import numpy as np
import pandas as pd

from gradflow.figures import marks
from gradflow.figures.marks import Legend, ValueAxis, heading
from gradflow.figures.panels import Figure, Panel
from gradflow.report.frames import AFTER, BEFORE
from gradflow.runs.metrics import Metric, MetricTable
from gradflow.runs.tags import GRAD_RMS
from gradflow.study.configurations import groups

DODGE = 0.018  # of the range of depths, between two activations: intervals side by side, not on top of each other
ASIDE = 7  # pixels between the mean of a configuration and the marks of its seeds
GRADIENT_RMS = MetricTable()[f"{GRAD_RMS}/"]


def by_depth(
    final: pd.DataFrame,
    seeds: pd.DataFrame,
    legend: Legend,
    *,
    metric: Metric,
    name: str,
    reading: str,
) -> Figure:
    """A final metric against depth, a panel for each variant; against the activation if there is only one depth.

    Args:
        final: means with intervals, `Frames.final`.
        seeds: every seed's value, `Frames.seeds`.
        legend: of the study.
        metric: of run.json.
        name: of the figure's files.
        reading: how to read it.
    """
    final, seeds = (frame[frame["metric"] == metric.tag] for frame in (final, seeds))
    extent = marks.domain(final, metric, also=seeds["value"].tolist())
    deep = len(legend.depths) > 1
    panels = []
    for keys, part in groups(final, ["variant"]):
        values = seeds[seeds["variant"] == keys["variant"]]
        x = _depth_axis(part) if deep else _names_axis(legend)
        y = ValueAxis(metric.with_unit, metric, domain=extent)
        chart = _means_and_seeds(_placed(part, legend), _placed(values, legend), legend, x=x, y=y, metric=metric)
        panels.append(Panel(title=keys["variant"], chart=chart))
    against = "depth" if deep else legend.compared
    return Figure(name=name, title=f"{metric.words.capitalize()}, by {against}", reading=reading, panels=panels)


def _placed(frame: pd.DataFrame, legend: Legend) -> pd.DataFrame:
    """Add the column `place`: the depth, shifted a little by activation."""
    blocks = frame["blocks"].to_numpy(float)
    order = list(legend.colours)
    ranks = np.array([order.index(activation) for activation in frame["activation"]], dtype=float)
    step = DODGE * max(float(np.ptp(blocks)) if len(blocks) else 0.0, 1.0) * min(1.0, 4 / len(order))
    return frame.assign(place=blocks + (ranks - (len(order) - 1) / 2) * step)


def _depth_axis(frame: pd.DataFrame) -> alt.X:
    depths = sorted(frame["blocks"].dropna().unique())
    axis = alt.Axis(values=[float(depth) for depth in depths], format="d", grid=False)
    return alt.X("place:Q", title="hidden blocks", axis=axis, scale=alt.Scale(zero=False, nice=False, padding=18))


def _names_axis(legend: Legend) -> alt.X:
    return alt.X("activation:N", title=legend.compared, axis=alt.Axis(labelAngle=0), sort=list(legend.colours))


def _means_and_seeds(
    means: pd.DataFrame, seeds: pd.DataFrame, legend: Legend, *, x: alt.X, y: ValueAxis, metric: Metric
) -> alt.LayerChart:
    """Intervals, large marks for means joined by a thin line where there are depths, small open marks for seeds."""
    color = marks.colour(legend.colours, field="activation", title=legend.compared)
    whose = [("activation", legend.compared), ("depth", "hidden blocks")]
    # One source for both kinds of rows: the page filters a chart's own data, not that of its layers.
    columns = ["activation", "place", "n", "mean", "low", "high", "seeds", "seed", "value"]
    rows = marks.data(pd.concat([means.assign(seed=None, value=np.nan), seeds.assign(mean=np.nan)]), columns)
    base = alt.Chart().encode(x=x, color=color)
    mean = base.transform_filter("isValid(datum.mean)")
    line = mean.mark_line(strokeWidth=1.5, opacity=0.7, clip=True).encode(y=y.of("mean"))
    rule = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=2.5, clip=True)
    circle = base.transform_filter("isValid(datum.value)").mark_point(
        size=22, opacity=0.8, strokeWidth=1, clip=True, xOffset=ASIDE
    )
    mark = mean.mark_point(size=75, filled=True, opacity=1, clip=True)
    layers = [
        *([line] if len(legend.depths) > 1 else []),
        *([rule.encode(y=y.of("low"), y2="high:Q")] if means["low"].notna().any() else []),
        circle.encode(y=y.of("value"), tooltip=marks.value_tooltip(metric, *whose, ("seed", "seed"))),
        mark.encode(
            y=y.of("mean"),
            shape=marks.shape(legend.shapes, title=legend.compared),
            tooltip=[*marks.tooltip(metric, *whose), alt.Tooltip("seeds:N", title="seeds")],
        ),
    ]
    return marks.with_interval(alt.LayerChart(layer=layers, data=rows), metric)


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
