"""What happens during training: a metric by epoch, and loss, score and gradient norm side by side."""

from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from gradflow.figures import marks
from gradflow.figures.marks import Legend, ValueAxis, blocks_text, heading
from gradflow.figures.panels import Figure, Panel
from gradflow.report.curve_points import SPREAD
from gradflow.report.frames import Frames
from gradflow.runs import tags
from gradflow.runs.metrics import Metric, MetricTable
from gradflow.study.configurations import groups

_DRAG = "Drag to move, Ctrl + wheel to zoom, double-click to reset."
_FEW = 15  # a curve of at most this many points shows each of them
_START, _FAR_ABOVE = 0.02, 5.0  # of all updates; times the highest mean of the others
_BY_UPDATE = (tags.TRAIN_LOSS_STEP, tags.GRAD_NORM_TOTAL)


@dataclass(frozen=True)
class _Quantity:
    """One column of panels: rows of a frame, what they are, and the axis that they share."""

    frame: pd.DataFrame
    metric: Metric
    title: str
    progress: str

    @property
    def x(self) -> alt.X:
        column = self.frame[self.progress]
        scale = marks.extent(column)
        if self.progress == "epoch":  # ticks at whole numbers, at most seven
            last = int(column.max())
            axis = alt.Axis(grid=False, format="d", values=list(range(1, last + 1, -(-last // 7))))
        else:
            axis = alt.Axis(grid=False, format=",d", tickCount=5, tickMinStep=1)
        return alt.X(f"{self.progress}:Q", title=self.progress, axis=axis, scale=scale)

    @property
    def starts_far_above(self) -> bool:
        """Whether the first updates have values so high that a linear axis would flatten all others."""
        later = self._without_start["mean"].max()
        return not self.metric.is_logarithmic and bool(self.frame["mean"].max() > _FAR_ABOVE * later)

    @property
    def _without_start(self) -> pd.DataFrame:
        return self.frame[self.frame[self.progress] >= _START * self.frame[self.progress].max()]

    @property
    def y(self) -> ValueAxis:
        shown = self._without_start if self.starts_far_above else self.frame
        spread = [value for column in SPREAD if column in shown for value in shown[column]]
        return ValueAxis(self.metric.with_unit, self.metric, domain=marks.domain(shown, self.metric, also=spread))


def learning_curves(frame: pd.DataFrame, legend: Legend, *, metric: Metric, name: str) -> Figure:
    """A metric against the epoch, a panel for each depth and variant, a line with a band for each activation."""
    quantity = _Quantity(frame[frame["metric"] == metric.tag], metric, "", "epoch")
    panels = [_panel(quantity, part, keys, legend) for keys, part in groups(quantity.frame, ["variant", "blocks"])]
    title = f"{metric.words.capitalize()} by epoch"
    reading = f"One panel per depth. {marks.lines_and_bands(quantity.frame)}. {_DRAG}"
    return Figure(name=name, title=title, reading=reading, panels=panels, zooms=True)


def over_training(frames: Frames, legend: Legend) -> Figure | None:
    """Loss of each batch, training score and gradient norm side by side, a row for each depth and variant.

    Only the quantities that were recorded; None if nothing was recorded by update.
    """
    if frames.training.empty:
        return None
    quantities = _recorded(frames)
    panels = [
        _panel(quantity, part, keys, legend)
        for keys, _ in groups(frames.final, ["variant", "blocks"])
        for quantity in quantities
        for found, part in groups(quantity.frame, ["variant", "blocks"])
        if found == keys
    ]
    thinned = ""
    if frames.stretch > 1:
        thinned = (
            f" A point is the mean of up to {frames.stretch} updates (log10 of the gradient); nine in ten single "
            "updates are within the pale area."
        )
    if any(quantity.starts_far_above for quantity in quantities):
        thinned += " The first losses, far above the others, are cut off."
    norm = "Gradient: Euclidean norm over all parameters, before clipping."
    return Figure(
        name="over_training",
        title="Loss, accuracy and gradient norm over training" if "acc" in frames.fitted else "Over training",
        reading=f"{norm} {marks.lines_and_bands(frames.training)}.{thinned} {_DRAG}",
        panels=panels,
        zooms=True,
        columns=len(quantities),
    )


def _recorded(frames: Frames) -> list[_Quantity]:
    loss, norm = (frames.training[frames.training["metric"] == tag] for tag in _BY_UPDATE)
    score = frames.learning[frames.learning["metric"] == frames.fitted]
    table = MetricTable()
    fitted, gradient = table[frames.fitted], table[tags.GRAD_NORM_TOTAL]
    quantities = [
        _Quantity(loss, table[tags.TRAIN_LOSS_STEP], "loss of a batch", "update"),
        _Quantity(score, fitted, fitted.words, "epoch"),
        _Quantity(norm, gradient, gradient.words, "update"),
    ]
    return [quantity for quantity in quantities if len(quantity.frame)]


def _panel(quantity: _Quantity, part: pd.DataFrame, keys: dict[str, Any], legend: Legend) -> Panel:
    """One panel: a mean with its band per activation, and the spread behind points that stand for stretches."""
    depth = marks.depth_text(keys["blocks"])
    progress = quantity.progress
    color = marks.colour(legend.colours, field="activation", title=legend.compared)
    fields = (("activation", legend.compared), ("depth", "hidden blocks"), (progress, progress))
    few = quantity.frame[progress].nunique() <= _FEW
    columns = ["activation", progress, "n", "mean", "low", "high"]
    layers = marks.banded_line(
        x=quantity.x, y=quantity.y, color=color, tooltip=marks.tooltip(quantity.metric, *fields), points=few
    )
    if "p5" in part and (part["p5"] < part["p95"]).any():
        spread = alt.Chart().mark_area(opacity=0.12, clip=True, line=False)
        layers.insert(0, spread.encode(x=quantity.x, color=color, y=quantity.y.of("p5"), y2="p95:Q"))
        columns += SPREAD
    chart = alt.LayerChart(layer=layers, data=marks.data(part, columns))
    title = heading(quantity.title, blocks_text(depth), keys["variant"])
    return Panel(title=title, chart=marks.with_interval(chart, quantity.metric), depth=depth or None)
