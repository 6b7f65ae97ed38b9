"""The gradient of every layer, before the first update and at the end."""

from typing import Any

import altair as alt
import pandas as pd

from gradflow.figures import marks
from gradflow.figures.lines import banded_line, looks_of_activations, looks_of_depths
from gradflow.figures.marks import Legend, ValueAxis, heading
from gradflow.figures.panels import Figure, Multiples, Panel
from gradflow.figures.pointer import pointer
from gradflow.report import spoken
from gradflow.report.frames import AFTER, BEFORE
from gradflow.report.training_charts import PLOT
from gradflow.runs.metrics import MetricTable
from gradflow.runs.tags import GRAD_RMS
from gradflow.runs.words import capital, setting_words
from gradflow.study.configurations import groups

GRADIENT_RMS = MetricTable()[f"{GRAD_RMS}/"]
_LAYER = "layer"
_FEW_PLOTS = 2  # of each moment, with both moments in one row
_MOST_COLUMNS = 5
_HEIGHT = 170  # pixels


def gradient_by_layer(frame: pd.DataFrame, legend: Legend) -> Figure:
    """Gradient by layer, before the first update and as the mean of the last epoch, a panel for each moment.

    In it a plot for each activation and variant with a line for each depth; where there are no depths to tell apart, a
    plot for each variant with a line for each activation.
    """
    deep = len(legend.depths) > 1
    frame = frame.assign(
        **{
            PLOT: [
                heading(legend.names[activation] if deep else "", setting_words(variant))
                for activation, variant in zip(frame["activation"], frame["variant"], strict=True)
            ],
            "line": [
                marks.blocks_text(marks.depth_text(blocks)) if deep else legend.names[activation]
                for activation, blocks in zip(frame["activation"], frame["blocks"], strict=True)
            ],
        }
    )
    plots = list(dict.fromkeys(frame[PLOT]))
    y = ValueAxis("", GRADIENT_RMS, domain=marks.domain(frame, GRADIENT_RMS))
    panels = [_panel(keys["moment"], part, legend, plots=plots, y=y) for keys, part in groups(frame, ["moment"])]
    by_plot = "A line for each depth. " if deep else ""
    reading = (
        f"Root mean square of each layer's weight gradient, {BEFORE} and as the mean over the {AFTER}; a line that "
        f"falls towards the left is a gradient that vanishes on its way to the input. {by_plot}"
        f"{marks.lines_and_bands(frame, unit=', of log10')}."
    )
    return Figure(
        name="gradient_by_layer",
        title="Gradient by layer",
        reading=reading,
        panels=panels,
        columns=len(panels) if len(plots) <= _FEW_PLOTS else 1,
        height=_HEIGHT,
        section="layers",
        spoken=_spoken(frame, legend),
    )


def _panel(moment: str, part: pd.DataFrame, legend: Legend, *, plots: list[str], y: ValueAxis) -> Panel:
    axis = alt.Axis(format="d", tickMinStep=1, grid=False)
    x = alt.X("index:Q", title="layer (input to output)", axis=axis, scale=marks.extent(part["index"]))
    looks = looks_of_depths(legend) if len(legend.depths) > 1 else looks_of_activations(legend)
    lines = banded_line(x=x, y=y, looks=looks, points=True)
    columns = [PLOT, "activation", "line", _LAYER, "index", "n", "mean", "low", "high"]
    several = len(plots) > 1 or plots[0]
    return Panel(
        title=capital(moment),
        layers=lines,
        rows=marks.rows(part, columns),
        pointer=pointer(x, GRADIENT_RMS, line="line", at=["index", *([PLOT] if several else [])]),
        multiples=Multiples(PLOT, plots, min(len(plots), _MOST_COLUMNS)) if several else None,
    )


def _spoken(frame: pd.DataFrame, legend: Legend) -> str:
    """The gradient from the layer nearest to the output to that nearest to the input, of the deepest networks."""
    deepest = frame[(frame["moment"] == AFTER) & (frame["blocks"].isna() | (frame["blocks"] == frame["blocks"].max()))]
    blocks: Any = frame["blocks"].max()
    networks = f", {marks.blocks_text(marks.depth_text(blocks))}" if len(legend.depths) > 1 else ""
    return spoken.over(
        deepest.assign(place=-deepest["index"]),
        "place",
        legend,
        metric=GRADIENT_RMS,
        against="layer",
        at=f"from output to input, {AFTER}{networks}",
    )
