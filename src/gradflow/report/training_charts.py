"""What happens during training: scores and losses by epoch; loss, score and gradient norm by update side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd

from gradflow.figures import marks
from gradflow.figures.lines import banded_line, looks_of_activations
from gradflow.figures.marks import Legend, ValueAxis, blocks_text, heading
from gradflow.figures.panels import Figure, Multiples, Panel
from gradflow.figures.pointer import pointer
from gradflow.report import spoken
from gradflow.report.curve_points import SPREAD
from gradflow.report.frames import Frames
from gradflow.runs import tags
from gradflow.runs.metrics import Metric
from gradflow.runs.words import capital, listed, setting_words
from gradflow.study.configurations import groups

PLOT = "plot"  # the field of a row that says in which of the small multiples it stands
_DRAG = "Drag to move, Ctrl + wheel to zoom, double-click to reset."
_FEW = 15  # a curve of at most this many points shows each of them
_START, _FAR_ABOVE = 0.02, 5.0  # of all updates; times the highest mean of the others
_BY_UPDATE = (tags.TRAIN_LOSS_STEP, tags.GRAD_NORM_TOTAL)
_ROW_HEIGHT = 150  # pixels
_MOST_ROWS = 6  # of curves by update


@dataclass(frozen=True)
class _Quantity:
    """One panel: rows of a frame, what they are, and the axes that its plots share."""

    frame: pd.DataFrame
    metric: Metric
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
        return ValueAxis("", self.metric, domain=marks.domain(shown, self.metric, also=spread))


def learning_curves(frames: Frames, legend: Legend) -> Figure | None:
    """Validation score and training loss by epoch, a row for each of them, a plot for each depth and variant.

    None if neither was recorded.
    """
    quantities = [
        _Quantity(part, frames.table[tag], "epoch")
        for tag in dict.fromkeys((frames.validation, tags.train(tags.LOSS)))
        if len(part := frames.learning[frames.learning["metric"] == tag])
    ]
    if not quantities:
        return None
    deep = len(legend.depths) > 1
    words = " and ".join(quantity.metric.words for quantity in quantities)
    by_plot = "A column for each depth. " if deep else ""
    return Figure(
        name="learning_curves",
        title=f"{capital(words)} by epoch",
        reading=f"{by_plot}{marks.lines_and_bands(frames.learning)}. {_DRAG}",
        panels=[_panel(quantity, legend, columns=max(len(legend.depths), 1)) for quantity in quantities],
        zooms=True,
        columns=1,
        spoken=" ".join(_spoken(quantity, legend) for quantity in quantities),
    )


def over_training(frames: Frames, legend: Legend) -> Figure | None:
    """Loss of each batch, training score and gradient norm side by side, a row for each depth and variant.

    Of many depths the shallowest, one in the middle and the deepest. Only the quantities that were recorded; None if
    nothing was recorded by update.
    """
    if frames.training.empty:
        return None
    shown = _shown_depths(list(legend.depths), variants=frames.final["variant"].nunique())
    quantities = _recorded(frames, shown)
    notes = [
        "Gradient: Euclidean norm over all parameters, before clipping.",
        f"{marks.lines_and_bands(frames.training)}.",
    ]
    if frames.stretch > 1:
        notes.append(
            f"A point is the mean of up to {frames.stretch} updates (log10 of the gradient); nine in ten single "
            "updates are within the pale area."
        )
    if any(quantity.starts_far_above for quantity in quantities):
        notes.append("The first losses, far above the others, are cut off.")
    if hidden := [depth for depth in legend.depths if depth not in shown]:
        notes.append(f"Not shown: {listed(hidden)} blocks, whose numbers are in the tables and in TensorBoard.")
    return Figure(
        name="over_training",
        title=f"{capital(listed([quantity.metric.words for quantity in quantities]))} over training",
        reading=" ".join([*notes, _DRAG]),
        panels=[_panel(quantity, legend, columns=1) for quantity in quantities],
        zooms=True,
        columns=len(quantities),
        height=_ROW_HEIGHT,
        spoken=" ".join(_spoken(quantity, legend) for quantity in quantities),
    )


def _shown_depths(depths: Sequence[str], *, variants: int) -> list[str]:
    """The shallowest, the one in the middle and the deepest; only the ends where variants make too many rows."""
    last = len(depths) - 1
    chosen = {0, last // 2, last} if 3 * variants <= _MOST_ROWS else {0, last}
    return [depths[i] for i in sorted(chosen)] if depths else []


def _recorded(frames: Frames, depths: Sequence[str]) -> list[_Quantity]:
    learning, training = (
        frame[frame["blocks"].map(marks.depth_text).isin(depths or [""])]
        for frame in (frames.learning, frames.training)
    )
    loss, norm = (training[training["metric"] == tag] for tag in _BY_UPDATE)
    score = learning[learning["metric"] == frames.fitted]
    parts = (
        (loss, tags.TRAIN_LOSS_STEP, "update"),
        (score, frames.fitted, "epoch"),
        (norm, tags.GRAD_NORM_TOTAL, "update"),
    )
    quantities = [_Quantity(part, frames.table[tag], progress) for part, tag, progress in parts]
    return [quantity for quantity in quantities if len(quantity.frame)]


def _panel(quantity: _Quantity, legend: Legend, *, columns: int) -> Panel:
    """A plot for each depth and variant: a mean with its band per activation, and the spread of single updates."""
    frame, progress = quantity.frame, quantity.progress
    plots = {
        heading(blocks_text(marks.depth_text(keys["blocks"])), setting_words(keys["variant"])): part
        for keys, part in groups(frame, ["variant", "blocks"])
    }
    rows = pd.concat([part.assign(**{PLOT: title}) for title, part in plots.items()])
    rows = rows.assign(line=rows["activation"].map(legend.names))
    looks = looks_of_activations(legend)
    few = frame[progress].nunique() <= _FEW
    columns_of_rows = [PLOT, "activation", "line", progress, "n", "mean", "low", "high"]
    layers = banded_line(x=quantity.x, y=quantity.y, looks=looks, points=few)
    if "p5" in frame and (frame["p5"] < frame["p95"]).any():
        spread = alt.Chart().mark_area(fillOpacity=0.12, clip=True, line=False)
        layers.insert(0, spread.encode(x=quantity.x, color=looks.color, y=quantity.y.of("p5"), y2="p95:Q"))
        columns_of_rows += SPREAD
    return Panel(
        title=capital(quantity.metric.with_unit if quantity.metric.unit != "%" else quantity.metric.words),
        layers=layers,
        rows=marks.rows(rows, columns_of_rows),
        pointer=pointer(quantity.x, quantity.metric, line="line", at=[progress, *([PLOT] if any(plots) else [])]),
        multiples=Multiples(PLOT, list(plots), columns) if any(plots) else None,
    )


def _spoken(quantity: _Quantity, legend: Legend) -> str:
    """The last value of each line, by depth."""
    lines = quantity.frame.groupby(["activation", "variant", "blocks"], sort=False, dropna=False)
    last = quantity.frame.loc[lines[quantity.progress].idxmax()]
    where = "hidden blocks" if len(legend.depths) > 1 else ""
    return spoken.over(last, "blocks", legend, metric=quantity.metric, against=where, at="at the end of training")
