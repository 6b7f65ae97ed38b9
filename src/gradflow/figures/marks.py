"""Building blocks of the report's charts: data, scales, tooltips, and a line with its band or its intervals."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from gradflow.figures import palette
from gradflow.runs.metrics import POWER, Metric
from gradflow.runs.words import activation_words, axis_words

_FEWEST_TICKS = 3
_LABELS = 38  # pixels for the labels of a vertical axis at least, so that plots below one another are aligned
_PLAIN_OR_POWER = "format(datum.value, datum.value >= 0.001 && datum.value < 10000 ? '~g' : '~e')"
WIDEST = 1.0  # decades beyond the means that an interval may stretch a logarithmic axis


@dataclass(frozen=True)
class Legend:
    """The activations and depths of a study, with their colours and shapes.

    Attributes:
        compared: `activation`, or what stands in its place in a study without activations, in people's words.
        names: activation -> what people read, `ReLU` for `relu`.
        colours: activation -> colour.
        shapes: activation -> shape of its marks.
        dashes: activation -> dashes of its lines, as lengths of strokes and gaps in pixels.
        depths: depth as text -> colour, shallow to deep; empty in a study without depths.
        depth_shapes: depth as text -> shape of its marks.
        depth_dashes: depth as text -> dashes of its lines.
    """

    compared: str
    names: dict[str, str]
    colours: dict[str, str]
    shapes: dict[str, str]
    dashes: dict[str, tuple[int, ...]]
    depths: dict[str, str]
    depth_shapes: dict[str, str]
    depth_dashes: dict[str, tuple[int, ...]]


def legend_of(final: pd.DataFrame, *, compared: str = "activation") -> Legend:
    """The legend of the configurations of `Frames.final`, in their order."""
    activations = list(dict.fromkeys(final["activation"]))
    depths = [depth_text(blocks) for blocks in sorted(final["blocks"].dropna().unique())]
    return Legend(
        compared=axis_words(compared),
        names={name: activation_words(name) for name in activations},
        colours=palette.activation_colours(activations),
        shapes=palette.activation_shapes(activations),
        dashes=palette.activation_dashes(activations),
        depths=palette.depth_colours(depths),
        depth_shapes=palette.depth_shapes(depths),
        depth_dashes=palette.depth_dashes(depths),
    )


def several_seeds(frame: pd.DataFrame) -> bool:
    """Whether any row (column `n`) averages more than one seed, so that there are intervals."""
    return bool((frame["n"] > 1).any())


def lines_and_bands(frame: pd.DataFrame, *, unit: str = "") -> str:
    """What lines and bands show, as a sentence without its full stop."""
    return f"Lines are means over the seeds, bands 95 % t intervals{unit}" if several_seeds(frame) else "Lines are runs"


def depth_text(blocks: Any) -> str:
    """`4` for 4 blocks; nothing where a study has no depths."""
    return "" if blocks is None or pd.isna(blocks) else f"{blocks:g}"


def blocks_text(depth: str) -> str:
    """`4 blocks`."""
    return "" if not depth else f"{depth} block{'' if depth == '1' else 's'}"


def heading(*parts: str) -> str:
    """The title of a panel; empty parts are left out."""
    return ", ".join(part for part in parts if part)


def rows(frame: pd.DataFrame, columns: Sequence[str]) -> list[dict[str, Any]]:
    """These columns and the depth as text, numbers with four significant digits; what is not finite becomes null."""
    shown = frame[list(columns)].copy()
    if "blocks" in frame:
        shown["depth"] = frame["blocks"].map(depth_text)
    return [{str(key): _plain(value) for key, value in row.items()} for row in shown.to_dict("records")]


def data(frame: pd.DataFrame, columns: Sequence[str]) -> alt.InlineData:
    """`rows` as the data of a chart."""
    found = alt.InlineData(values=())
    found.values = tuple(rows(frame, columns))  # which Altair neither checks one by one nor copies, as it does a list
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}") if math.isfinite(value) else None
    return value


def colour(mapping: Mapping[str, str], *, field: str, title: str) -> alt.Color:
    scale = alt.Scale(domain=list(mapping), range=list(mapping.values()))
    return alt.Color(field=field, type="nominal", title=title, scale=scale)


@dataclass(frozen=True)
class ValueAxis:
    """A vertical axis, logarithmic for gradient magnitudes.

    Attributes:
        title: with the unit.
        metric: what it shows.
        domain: lowest and highest value; None to fit the data.
    """

    title: str
    metric: Metric
    domain: tuple[float, float] | None

    def of(self, field: str) -> alt.Y:
        """The axis with the values of one column."""
        kind: dict[str, Any] = {"type": "log"} if self.metric.is_logarithmic else {"type": "linear", "zero": False}
        extent: dict[str, Any] = {"domain": list(self.domain), "nice": False} if self.domain else {}
        scale = alt.Scale(**kind, **extent)
        ticks = _log_ticks(*self.domain) if self.metric.is_logarithmic and self.domain else []
        number = self.metric.axis_format
        style: dict[str, Any] = {"labelExpr": _PLAIN_OR_POWER} if number == POWER else {"format": number}
        style |= {"values": ticks} if ticks else {}
        axis = alt.Axis(tickCount=5, labelOverlap="greedy", minExtent=_LABELS, **style)
        return alt.Y(field=field, type="quantitative", title=self.title or None, scale=scale, axis=axis)


def _log_ticks(low: float, high: float) -> list[float]:
    """Round numbers on a logarithmic axis, about three to seven; empty where it is so short that it is nearly even."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    every = -(-len(decades) // 7)
    for digits in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7), (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9)):
        whole = [d for d in decades if d % every == 0]
        ticks = [float(f"{digit}e{decade}") for decade in whole for digit in digits]
        shown = [tick for tick in ticks if low <= tick <= high]
        if len(shown) >= _FEWEST_TICKS:
            return shown
    return []


def domain(frame: pd.DataFrame, metric: Metric, *, also: Sequence[float] = ()) -> tuple[float, float] | None:
    """Common vertical extent of several panels: means, bounds of the intervals, and further values.

    Logarithmic bounds stay within `WIDEST` decades of the means: an interval of two seeds can be wider than anything
    worth seeing. What is cut off is still in the tooltip and in the table.
    """
    means = pd.Series([*frame["mean"], *also], dtype=float).dropna()
    if metric.is_logarithmic:
        means = means[means > 0]
    if means.empty:
        return None
    lows, highs = frame["low"].astype(float), frame["high"].astype(float)
    low, high = min(means.min(), lows.min(skipna=True)), max(means.max(), highs.max(skipna=True))
    low, high = (means.min(), means.max()) if math.isnan(low) else (low, high)
    if metric.is_logarithmic:
        factor = 10.0**WIDEST
        return max(low, means.min() / factor) / 1.2, min(high, means.max() * factor) * 1.2
    margin = 0.03 * (high - low) or (0.01 if metric.is_fraction else 0.05 * abs(high)) or 0.05
    return low - margin, high + margin


def extent(column: pd.Series) -> alt.Scale:
    """A horizontal scale over all values of a column, across all panels, with room for the marks at its ends."""
    low, high = float(column.min()), float(column.max())
    low, high = (low - 0.5, high + 0.5) if low == high else (low, high)
    return alt.Scale(domain=[low, high], zero=False, nice=False, padding=7)


def spoken_value(metric: Metric) -> str:
    """A Vega expression of a row: its mean with the unit, its interval and the number of seeds, where there are."""
    times, format_of = ("100 * ", ".2~f") if metric.is_fraction else ("", _format(metric))
    unit = " %" if metric.is_fraction else ""
    low, mean, high = (f"format({times}datum.{column}, '{format_of}')" for column in ("low", "mean", "high"))
    interval = f"(isValid(datum.low) ? ' (' + {low} + ' to ' + {high} + '), n = ' + datum.n : '')"
    return f"{mean} + '{unit}' + {interval}"


def _format(metric: Metric) -> str:
    return ".2~%" if metric.is_fraction else ".2e" if metric.axis_format == POWER else ".4~g"
