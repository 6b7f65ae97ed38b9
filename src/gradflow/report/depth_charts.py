"""Final metrics against depth: the figure that answers the question of a study, and those like it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from gradflow.figures import marks
from gradflow.figures.labels import Ruler, label_places, labels
from gradflow.figures.lines import looks_of_activations
from gradflow.figures.marks import Legend, ValueAxis, heading
from gradflow.figures.panels import COLUMNS, ROW_HEIGHT, Figure, Panel
from gradflow.figures.pointer import pointer
from gradflow.report import spoken
from gradflow.report.across import BLOCKS, activations_axis, depth_axis, names_axis, placed
from gradflow.report.frames import Frames
from gradflow.runs.metrics import Metric
from gradflow.runs.words import axis_words, capital, setting_words
from gradflow.study.configurations import groups

ASIDE = 7  # pixels between the mean of a configuration and the marks of its seeds
_HEIGHT, _HALF_HEIGHT = 250, 120  # pixels of a plot of the answer, so that all of it stands on the first screen
_COLUMNS = [
    "activation",
    "line",
    "setting",
    "place",
    BLOCKS,
    "n",
    "mean",
    "low",
    "high",
    "value",
    "end",
    "label",
    "metric",
]
_MOST_SIDE_BY_SIDE = 2  # variants, with all quantities of the answer in one row


@dataclass(frozen=True)
class Quantity:
    """A metric of run.json that is drawn against depth.

    Attributes:
        metric: as run.json holds it.
        reference: a value with a horizontal rule of its own; None for none.
        says: what the rule means.
    """

    metric: Metric
    reference: float | None = None
    says: str = ""


def answer(frames: Frames, legend: Legend, *, quantities: Sequence[Quantity], reading: str) -> Figure:
    """Quantities against depth, side by side; from three variants on a row for each quantity, a column a variant."""
    together = frames.final["variant"].nunique() <= _MOST_SIDE_BY_SIDE or _settings(frames, legend) != ""
    height = _HEIGHT if together else _HALF_HEIGHT
    panels = [panel for quantity in quantities for panel in _panels(frames, legend, quantity, height=height)]
    words = " and ".join(quantity.metric.words for quantity in quantities)
    return Figure(
        name="answer",
        title=f"{capital(words)}, by {_against(frames, legend)}",
        reading=reading,
        panels=panels,
        columns=len(panels) if together else len(panels) // len(quantities),
        height=height,
        section="answer",
        spoken=" ".join(_spoken(frames, legend, quantity.metric) for quantity in quantities),
    )


def by_depth(frames: Frames, legend: Legend, *, quantity: Quantity, name: str, reading: str) -> Figure:
    """A quantity against depth, a panel for each variant.

    Args:
        frames: of the study.
        legend: of the study.
        quantity: what is drawn.
        name: of the figure's files.
        reading: how to read it.
    """
    title = f"{capital(quantity.metric.words)}, by {_against(frames, legend)}"
    panels = _panels(frames, legend, quantity, height=ROW_HEIGHT)
    return Figure(
        name=name,
        title=title,
        reading=reading,
        panels=panels,
        columns=min(len(panels), COLUMNS) if len(panels) > 1 else None,
        height=ROW_HEIGHT,
        section="layers",
        spoken=_spoken(frames, legend, quantity.metric),
    )


def _spoken(frames: Frames, legend: Legend, metric: Metric) -> str:
    final = frames.final[frames.final["metric"] == metric.tag]
    return spoken.over(final, "blocks", legend, metric=metric, against=BLOCKS if len(legend.depths) > 1 else "")


def _against(frames: Frames, legend: Legend) -> str:
    return BLOCKS if len(legend.depths) > 1 else _settings(frames, legend) or legend.compared


def _settings(frames: Frames, legend: Legend) -> str:
    """Of a study with one depth and one activation, what else it varies in words; these values then stand side by side.

    Empty for any other study.
    """
    variants = frames.final["variant"].unique()
    if len(legend.depths) > 1 or len(legend.names) > 1 or len(variants) < 2:
        return ""
    axes = {found for variant in variants for found in re.findall(r"([\w.]+)=", variant)}
    return axis_words(axes.pop()) if len(axes) == 1 else "setting"


def _panels(frames: Frames, legend: Legend, quantity: Quantity, *, height: int) -> list[Panel]:
    """One for each variant, with one vertical axis: against depth, or the activation if there is only one depth."""
    metric = quantity.metric
    final, seeds = (frame[frame["metric"] == metric.tag] for frame in (frames.final, frames.seeds))
    also = [] if quantity.reference is None else [quantity.reference]
    extent = marks.domain(final, metric, also=[*seeds["value"], *also])
    deep = len(legend.depths) > 1
    panels = []
    settings = _settings(frames, legend)
    variants = [keys["variant"] for keys, _ in groups(frames.final, ["variant"])]
    for shown in [variants] if settings else [[variant] for variant in variants]:
        means, values = (placed(frame[frame["variant"].isin(shown)], legend) for frame in (final, seeds))
        if settings:
            means, values = (part.assign(setting=part["variant"].map(setting_words)) for part in (means, values))
        across = names_axis("setting", map(setting_words, variants)) if settings else activations_axis(legend)
        ends = _ends(means, Ruler(extent, height, metric.is_logarithmic)) if deep and extent else pd.DataFrame()
        drawn = _Drawn(
            means=means,
            seeds=values,
            ends=ends,
            across=depth_axis(legend, "place") if deep else across,
            named="setting" if settings else "line",
            up=ValueAxis("", metric, domain=extent),
        )
        panels.append(
            Panel(
                title=heading(capital(metric.words), "" if settings else setting_words(shown[0])),
                layers=_layers(drawn, legend, quantity),
                rows=_rows(drawn),
                pointer=_pointer(drawn, metric, legend),
            )
        )
    return panels


@dataclass(frozen=True)
class _Drawn:
    """The rows of a panel (means, seeds, labels of lines), and its axes.

    Attributes:
        named: the column that `across` shows where it has names instead of depths.
    """

    means: pd.DataFrame
    seeds: pd.DataFrame
    ends: pd.DataFrame
    across: alt.X
    named: str
    up: ValueAxis

    @property
    def has_seeds(self) -> bool:
        """Whether single seeds are drawn beside their means."""
        return marks.several_seeds(self.means)


def _ends(means: pd.DataFrame, ruler: Ruler) -> pd.DataFrame:
    """Where the line of each activation ends (`end`), and where its name stands (`place`, `label`)."""
    last = means.dropna(subset=["mean"]).sort_values("blocks").groupby("activation", sort=False).tail(1)
    labels_at = label_places(last["mean"].tolist(), ruler)
    if not labels_at:
        return pd.DataFrame()
    below_one_another = last.groupby("blocks")["place"].transform("max")
    return last[["activation", "line", "blocks"]].assign(end=last["mean"], label=labels_at, place=below_one_another)


def _layers(drawn: _Drawn, legend: Legend, quantity: Quantity) -> list[alt.Chart]:
    """Intervals, large marks for means joined by a line where there are depths, small open marks for seeds."""
    x, y = drawn.across, drawn.up
    looks = looks_of_activations(legend)
    base = alt.Chart().encode(x=x, color=looks.color)
    mean = base.transform_filter("isValid(datum.mean)")
    line = mean.mark_line(strokeWidth=1.8, clip=True).encode(strokeDash=looks.dash)
    rule = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=2.5, clip=True)
    circle = base.transform_filter("isValid(datum.value)").mark_point(
        size=22, opacity=1, strokeWidth=1, clip=True, xOffset=ASIDE
    )
    mark = mean.mark_point(size=75, filled=True, opacity=1, clip=True)
    return [
        *_reference(quantity, y, drawn.means["mean"]),
        *([line.encode(y=y.of("mean"))] if len(legend.depths) > 1 else []),
        *([rule.encode(y=y.of("low"), y2="high:Q")] if drawn.means["low"].notna().any() else []),
        *([circle.encode(y=y.of("value"))] if drawn.has_seeds else []),
        mark.encode(y=y.of("mean"), shape=looks.shape),
        *(_labels(x, y, looks.color) if len(drawn.ends) else []),
        *([] if drawn.means["mean"].notna().any() else [_nothing()]),
    ]


def _nothing() -> alt.Chart:
    """What stands in a panel without a value, so that it does not look broken."""
    text = alt.Chart(alt.InlineData(values=[{}])).mark_text(
        text="none recorded", align="left", dx=10, color="currentColor", opacity=0.7
    )
    return text.encode(x=alt.value(0), y=alt.value(_HALF_HEIGHT / 2))


def _rows(drawn: _Drawn) -> list[dict[str, Any]]:
    """One source for all kinds of rows: the page filters a chart's own data, not that of its layers."""
    shown = [drawn.means, *([drawn.seeds] if drawn.has_seeds else []), *([drawn.ends] if len(drawn.ends) else [])]
    rows = pd.concat([part.reindex(columns=[*_COLUMNS, "blocks"]) for part in shown if len(part)] or [pd.DataFrame()])
    return marks.rows(rows.reindex(columns=[*_COLUMNS, "blocks"]).assign(**{BLOCKS: rows.get("blocks")}), _COLUMNS)


def _reference(quantity: Quantity, y: ValueAxis, values: pd.Series) -> list[alt.Chart]:
    """A dashed horizontal rule at the reference, and what it means at its left end, on the side with more room."""
    if quantity.reference is None:
        return []
    base = alt.Chart(alt.InlineData(values=[{"reference": quantity.reference}]))
    rule = base.mark_rule(strokeDash=[4, 4], color="currentColor", opacity=0.5).encode(y=y.of("reference"))
    nearest = values.iloc[(values - quantity.reference).abs().argmin()] if len(values) else quantity.reference
    is_below = nearest > quantity.reference
    text = base.mark_text(
        text=quantity.says,
        align="left",
        baseline="top" if is_below else "bottom",
        dx=4,
        dy=4 if is_below else -2,
        color="currentColor",
    )
    return [rule, text.encode(x=alt.value(0), y=y.of("reference"))]


def _labels(x: alt.X, y: ValueAxis, color: alt.Color) -> list[alt.Chart]:
    base = alt.Chart().transform_filter("isValid(datum.label)")
    return labels(base, x=x, place="place", y=y, end="end", label="label", name="line", color=color)


def _pointer(drawn: _Drawn, metric: Metric, legend: Legend) -> alt.Chart:
    if len(legend.depths) > 1:
        return pointer(depth_axis(legend, BLOCKS), metric, line="line", at=[BLOCKS])
    return pointer(drawn.across, metric, line="metric", at=[drawn.named])
