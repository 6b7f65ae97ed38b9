"""Dead, saturated and dormant units as maps, layer by epoch, of the networks that have any; the others in words."""

from collections.abc import Collection, Sequence
from typing import Any

import altair as alt
import pandas as pd

from gradflow.figures import marks
from gradflow.figures.marks import Legend, blocks_text, heading
from gradflow.figures.palette import ALARM, NEUTRAL
from gradflow.figures.panels import Figure, Heat, Panel
from gradflow.report.frames import BEFORE
from gradflow.runs import tags
from gradflow.runs.metrics import Metric, MetricTable
from gradflow.runs.tags import TOTAL, UNIT_QUANTITIES, of_layer
from gradflow.runs.words import capital, count, layer_words, listed, setting_words
from gradflow.study.configurations import groups
from gradflow.study.courses import digits

SATURATED, NEARLY_ALL = 0.1, 0.8  # shares of entries with low slope, unusual in sigmoid-like functions and in others
_MOST_MAPS = 12
_LAYER, _LOWEST, _HIGHEST = 16, 80, 420  # pixels: a layer, the lowest and the highest map
_CONFIGURATION = ["variant", "activation", "blocks"]

_Network = tuple[dict[str, Any], pd.DataFrame]  # a configuration and its rows


def unit_maps(frame: pd.DataFrame, legend: Legend, *, sigmoid_like: Collection[str]) -> list[Figure]:
    """A figure for each statistic with something unusual in it, and one without panels that says what is not shown.

    Dead and dormant units are unusual wherever they are. Entries with low slope are unusual from `SATURATED` on in
    sigmoid-like functions, and from `NEARLY_ALL` on in the others, of most of which they are the usual sparsity.

    Args:
        frame: `Frames.units`.
        legend: of the study.
        sigmoid_like: the activations that are flat at both ends.
    """
    figures, words = [], []
    for quantity in UNIT_QUANTITIES:
        networks = list(groups(frame[frame["quantity"] == quantity], _CONFIGURATION))
        bounds = [_usual(quantity, keys["activation"] in sigmoid_like) for keys, _ in networks]
        unusual = [one for one, bound in zip(networks, bounds, strict=True) if _highest(one) > bound]
        usual = [one for one, bound in zip(networks, bounds, strict=True) if not _highest(one) > bound]
        if unusual:
            figures.append(_maps(quantity, unusual, legend))
        if usual and quantity == tags.LOW_SLOPE:
            words.append(_low_slope_in_words(usual, legend, sigmoid_like))
        elif usual:
            where = "in the other networks" if unusual else "in any layer of any network at any epoch"
            metric = _metric(quantity)
            words.append(f"No {metric.words} {where} ({metric.meaning}).")
    if words:
        title = "Units: nothing else out of the ordinary" if figures else "Units: nothing out of the ordinary"
        figures.append(Figure(name="units", title=title, reading=" ".join(words), panels=[], section="layers"))
    return figures


def _metric(quantity: str) -> Metric:
    return MetricTable()[of_layer(quantity, TOTAL)]


def _usual(quantity: str, is_sigmoid_like: bool) -> float:
    if quantity != tags.LOW_SLOPE:
        return 0.0
    return SATURATED if is_sigmoid_like else NEARLY_ALL


def _highest(network: _Network) -> float:
    return float(network[1]["mean"].max())


def _low_slope_in_words(usual: Sequence[_Network], legend: Legend, sigmoid_like: Collection[str]) -> str:
    """The shares of entries with low slope, and that a rectifier's are its usual sparsity."""
    metric = _metric(tags.LOW_SLOPE)
    shares: dict[str, list[pd.Series]] = {}
    for keys, part in usual:
        shares.setdefault(keys["activation"], []).append(part["mean"])
    sparse, few = [], []
    for activation, columns in shares.items():
        low, high = (digits(getattr(pd.concat(columns), bound)(), metric) for bound in ("min", "max"))
        if activation not in sigmoid_like and max(column.max() for column in columns) >= SATURATED:
            sparse.append(f"{legend.names[activation]} {low if low == high else f'{low} to {high}'} %")
        else:
            few.append(f"{legend.names[activation]} {f'at most {high} %' if high != '0' else 'none'}")
    said = []
    if sparse:
        said.append(
            f"Entries whose slope is under 5 % of the function's largest, by layer and epoch: {listed(sparse)}, the "
            "usual sparsity of a function that is flat on one side."
        )
    if few:
        said.append(f"{'Saturated' if not sparse else 'Of the others'}: {listed(few)} of the entries.")
    return " ".join(said)


def _maps(quantity: str, networks: Sequence[_Network], legend: Legend) -> Figure:
    """A map for each of these networks, of the worst if there are many."""
    metric = _metric(quantity)
    is_alarming = quantity == tags.DEAD_UNITS
    colours = ALARM if is_alarming else NEUTRAL
    worst = sorted(networks, key=_highest, reverse=True)[:_MOST_MAPS]
    shown = [one for one in networks if any(one is chosen for chosen in worst)]
    highest = max(map(_highest, shown))
    color = alt.Color("mean:Q", title=metric.with_unit, scale=alt.Scale(range=list(colours), domain=[0, highest]))
    layers = max(part["layer"].nunique() for _, part in shown)
    mean = "mean over the seeds, " if marks.several_seeds(pd.concat([part for _, part in shown])) else ""
    hidden = len(networks) - len(shown)
    said = ", ".join(f"{_name(keys, legend)} {digits(_highest((keys, part)), metric)} %" for keys, part in shown)
    return Figure(
        name=quantity,
        title=capital(metric.words),
        reading=(
            f"Share of {metric.meaning}; {mean}by layer (input at the top) and epoch (0: {BEFORE}). "
            + ("" if quantity == tags.LOW_SLOPE else "Only networks that have any. ")
            + (f"{count(hidden, 'network')} with lower shares not shown. " if hidden else "")
        ).strip(),
        panels=[_map(one, legend, metric, color) for one in shown],
        heat=Heat("0 %", f"{100 * highest:.3g} %", colours),
        height=min(max(_LAYER * layers, _LOWEST), _HIGHEST),
        section="layers",
        spoken=f"{capital(metric.words)}, highest share of a layer: {said}.",
    )


def _name(keys: dict[str, Any], legend: Legend) -> str:
    depth = blocks_text(marks.depth_text(keys["blocks"]))
    return heading(legend.names[keys["activation"]], depth, setting_words(keys["variant"]))


def _map(network: _Network, legend: Legend, metric: Metric, color: alt.Color) -> Panel:
    keys, part = network
    rows = part.assign(layer=part["layer"].map(layer_words))
    tooltip = [
        alt.Tooltip("layer:N", title="layer"),
        alt.Tooltip("epoch:O", title="epoch"),
        alt.Tooltip("said:N", title=metric.words),
    ]
    base = alt.Chart().transform_calculate(said=marks.spoken_value(metric))
    cells = base.mark_rect().encode(x=_epochs(rows), y=_layers(rows), color=color, tooltip=tooltip)
    return Panel(
        title=_name(keys, legend),
        layers=[cells],
        rows=marks.rows(rows, ["activation", "layer", "epoch", "n", "mean", "low", "high"]),
        activation=keys["activation"],
        depth=marks.depth_text(keys["blocks"]) or None,
    )


def _epochs(rows: pd.DataFrame) -> alt.X:
    axis = alt.Axis(labelOverlap="greedy", labelSeparation=5, labelAngle=0, ticks=False, domain=False)
    return alt.X("epoch:O", title="epoch", axis=axis, sort=_unique(rows["epoch"]))


def _layers(rows: pd.DataFrame) -> alt.Y:
    axis = alt.Axis(labelOverlap="greedy", labelSeparation=2, ticks=False, domain=False)
    return alt.Y("layer:N", title=None, sort=_unique(rows["layer"]), axis=axis)


def _unique(column: pd.Series) -> list[Any]:
    return column.drop_duplicates().tolist()
