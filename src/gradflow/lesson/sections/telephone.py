"""The telephone game."""

import math
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from torch import nn

from gradflow.activations import gain
from gradflow.figures.table import Table
from gradflow.lesson import marks
from gradflow.lesson.experiments import telephone
from gradflow.lesson.experiments.telephone import (
    ACTIVATIONS,
    BATCHNORM,
    BOTH,
    PLAIN,
    PUBLISHED,
    RESIDUAL,
    RIGHT,
    SETTINGS,
    SIX,
)
from gradflow.lesson.numbers import KILOMETRE, grown, length, one_in, percent, power, short, shrunk
from gradflow.lesson.section import Control, Figure, Folded, Panel, Remark, Rule, Section, Text
from gradflow.runs.metrics import NO_NUMBER

EXPLODES = 1e3  # a factor up to which, and down to whose inverse, a number needs no picture
BOUND = "bound: product of the largest slopes"
_LINES = [setting.name for setting in SETTINGS] + [BOUND]


def section(signals: pd.DataFrame, *, seeds: int) -> Section:
    """The section, from `telephone.signals`."""
    deepest = int(signals["depth"].max())
    six, deep = _at(signals, depth=SIX), _at(signals, depth=deepest)
    return Section(
        name="telephone",
        title="The telephone game",
        paragraphs=[
            _kilometre(six),
            "How the network is built decides what arrives. Choose an activation and a depth, and compare.",
        ],
        parts=[
            _figure(signals, seeds, _found(deep, deepest)),
            Folded("Why the slopes are not the whole story", [Text(_slopes_and_weights(six)), _table(six)]),
            Folded("The gain per layer", [Text(_per_layer(deep, deepest)), _gain_table(deep, deepest)]),
        ],
        rules=_rules(deep, deepest),
    )


def _kilometre(six: pd.DataFrame) -> str:
    """The bound and what is measured, as lengths of one message."""
    arrived, normalised = (six.loc["sigmoid", setting]["mean"] for setting in (PLAIN, BATCHNORM))
    return (
        f"Imagine a message one kilometre long. {SIX} sigmoid layers pass it back; their slopes, at most "
        f"{_slope('sigmoid')} each, leave at most {_metres(_bound('sigmoid', SIX))}. Weights shrink it too: "
        f"measured, {_metres(arrived)} arrive with PyTorch's default initialisation, {one_in(arrived)}. With "
        f"BatchNorm, {_metres(normalised)} do."
    )


def _found(deep: pd.DataFrame, deepest: int) -> str:
    sigmoid, relu = (deep.loc[name]["mean"] for name in ("sigmoid", "relu"))
    return (
        f"After {deepest} sigmoid layers with the default initialisation, the message is {_pictured(sigmoid[PLAIN])}; "
        f"with BatchNorm, {_pictured(sigmoid[BATCHNORM])}. After {deepest} ReLU layers with He initialisation, it is "
        f"{_pictured(relu[RIGHT])}; with residual connections on top, {_pictured(relu[BOTH])}"
        f"{': a message can explode, too' if relu[BOTH] > EXPLODES else ''}."
    )


def _pictured(left: float) -> str:
    """What has become of a message: a factor where it can be pictured, else a length that shrinks or grows."""
    if left < 1 / EXPLODES:
        return f"like {shrunk(left)}"
    if left > EXPLODES:
        return f"like {grown(left)}"
    return f"{short(left, 2)} times its size"


def _slopes_and_weights(six: pd.DataFrame) -> list[str]:
    sigmoid, relu, weights = (six.loc[name, PLAIN] for name in ("sigmoid", "relu", "identity"))
    on = relu["slopes"] ** (2 / SIX)  # a slope is 0 or 1, so its mean square is the share of ones
    larger = gain(nn.ReLU()) * math.sqrt(3)  # standard deviations gain / √inputs and 1 / √(3 inputs)
    bound = f"{power(_slope('sigmoid'), SIX)} = {short(_bound('sigmoid', SIX))}"
    return [
        "Each layer multiplies the message by its slope and by its weights. The often quoted bound "
        f"{bound} is one on the slopes alone. With the default initialisation, the slopes of {SIX} sigmoid layers "
        f"leave {_metres(sigmoid['slopes'])} of the kilometre (root mean square). The weights alone, in a network "
        f"without activation functions, leave {_metres(weights['mean'])}. The two factors multiply.",
        f"A ReLU's slope is at most {short(_bound('relu', 1))}, yet only {_metres(relu['mean'])} arrive: about "
        f"{percent(on)} of the outputs are on at any moment. He initialisation draws the weights {short(larger, 2)} "
        f"times as large to make up for it: {_metres(six.loc['relu', RIGHT]['mean'])} arrive.",
    ]


def _metres(left: float) -> str:
    return length(KILOMETRE * left)


def _per_layer(deep: pd.DataFrame, deepest: int) -> list[str]:
    sigmoid, relu = (deep.loc[name, PLAIN]["gain"] for name in ("sigmoid", "relu"))
    both = deep.loc["relu", BOTH]
    return [
        "The figure above follows the gradient of the layers' outputs. The live networks show what a layer learns "
        "from: the gradient of its weights, the product of that message and the activations that come forward. The "
        "factor by which it changes from a layer to the layer before it is the gain per layer, which gradflow records "
        "in every run (the gain of an initialisation, √2 for ReLU, is another thing). With the default initialisation "
        f"it is {_left(sigmoid)} for sigmoid and {_left(relu)} for ReLU.",
        f"The two can differ. With ReLU, He initialisation and residual connections, through {deepest} layers, the "
        f"message changes by a factor of {_left(both['mean'] ** (1 / deepest))} a layer on its way back, the "
        f"activations by {_left(both['forward'])} a layer on their way forward, and the gain per layer is "
        f"{_left(both['gain'])}.",
    ]


def _rules(deep: pd.DataFrame, deepest: int) -> list[Rule]:
    left = deep["mean"]
    return [
        Rule(
            "Match the initialisation to the activation: a standard deviation of gain / √inputs, where the gain is √2 "
            "for ReLU (He et al. 2015, arXiv:1502.01852).",
            f"What arrives through {deepest} ReLU layers: with it, {_pictured(left['relu', RIGHT])}; with the default, "
            f"{_pictured(left['relu', PLAIN])}.",
        ),
        Rule(
            "Where the initialisation does not keep the message up, as with sigmoid, use BatchNorm or residual "
            "connections.",
            f"What arrives through {deepest} sigmoid layers: with BatchNorm, {_pictured(left['sigmoid', BATCHNORM])}; "
            f"with residual connections, {_pictured(left['sigmoid', RESIDUAL])}; with He initialisation alone, "
            f"{_pictured(left['sigmoid', RIGHT])}.",
        ),
    ]


def _left(part: float) -> str:
    return short(part, digits=2)


def _slope(name: str) -> str:
    return short(_bound(name, 1))


def _bound(name: str, layers: int) -> float:
    return float(telephone.bound(ACTIVATIONS[name](), np.array(layers)))


def _at(signals: pd.DataFrame, *, depth: int) -> pd.DataFrame:
    """What is left after the whole network, by activation and setting."""
    through = signals[(signals["depth"] == depth) & (signals["layers"] == depth)]
    return through.set_index(["activation", "setting"])


def _rows(signals: pd.DataFrame) -> list[dict[str, Any]]:
    """One row per line of the chart: its activation, setting, depth and, by the layers passed, mean, low and high."""
    rows = []
    for (name, setting, depth), part in signals.groupby(["activation", "setting", "depth"], sort=False):
        by_layers = {field: [_digits(value) for value in part[field]] for field in ("mean", "low", "high")}
        rows.append({"activation": name, "setting": setting, "depth": depth, **by_layers})
    for (name, depth), _ in signals.groupby(["activation", "depth"], sort=False):
        most = telephone.bound(ACTIVATIONS[name](), np.arange(depth + 1))
        none = [None] * (depth + 1)
        bound = {"mean": [_digits(value) for value in most], "low": none, "high": none}
        rows.append({"activation": name, "setting": BOUND, "depth": depth, **bound})
    return rows


def _digits(value: float) -> float | None:
    """Three significant digits; more cannot be seen."""
    return float(f"{value:.3g}") if math.isfinite(value) else None


def _figure(signals: pd.DataFrame, seeds: int, found: str) -> Figure:
    depths = sorted(signals["depth"].unique().tolist())
    shown = depths[len(depths) // 2]
    names = list(ACTIVATIONS)
    inline = alt.InlineData(values=_rows(signals))
    return Figure(
        name="telephone",
        title="What is left of the message on its way back",
        found=found,
        reading="Start at the left, where the message leaves the output, and follow it to the input; 1 is its size "
        "there. The message is the gradient of the loss with respect to a layer's output, its size the Euclidean norm. "
        f"Lines are geometric means of {seeds} random networks, bands 95 % t intervals; the axis is logarithmic.",
        controls=[
            Control("activation", "activation", {name: name for name in names}, "sigmoid", is_slider=False),
            Control("depth", "hidden layers", {str(depth): depth for depth in depths}, shown),
        ],
        legend=marks.line_legend(_LINES),
        panels=[Panel("", _chart(inline, "datum.activation === activation && datum.depth === depth"), height=380)],
        picture=[
            Panel(name, _chart(inline, marks.same({"activation": name, "depth": shown})), height=200) for name in names
        ],
        remarks=_remarks(signals),
    )


def _remarks(signals: pd.DataFrame) -> list[Remark]:
    remarks = []
    for (name, depth), part in signals.groupby(["activation", "depth"], sort=False):
        last = part[part["layers"] == depth].set_index("setting")
        lines = {setting.name: _left(last.loc[setting.name, "mean"]) for setting in SETTINGS}
        further = {BOUND: _left(_bound(name, depth)), f"{PLAIN}, in a picture": _pictured(last.loc[PLAIN, "mean"])}
        remarks.append(Remark({"activation": name, "depth": depth}, lines | further))
    return remarks


def _chart(rows: alt.InlineData, where: str) -> alt.LayerChart:
    x = alt.X(**marks.quantity("layers", "layers passed, from the output", axis_format=marks.WHOLE))

    def y(field: str) -> alt.Y:
        return alt.Y(**marks.quantity(field, "what is left of the message", axis_format="~e", log=True))

    base = alt.Chart().encode(x=x, color=marks.colour_of("setting", _LINES))
    band = base.transform_filter("isValid(datum.low)").mark_area(opacity=0.15).encode(y=y("low"), y2="high:Q")
    line = base.mark_line(strokeWidth=2.2).encode(y=y("mean"), strokeDash=marks.dash_of("setting", _LINES))
    tooltip = [
        alt.Tooltip("setting:N", title="network"),
        alt.Tooltip("layers:Q", title="layers passed"),
        alt.Tooltip("mean:Q", title="left", format=".2e"),
    ]
    hover = base.mark_point(size=120, opacity=0, filled=True).encode(y=y("mean"), tooltip=tooltip)
    chart = marks.layers(band, line, hover, data=rows, where=where)
    return (
        chart.transform_flatten(["mean", "low", "high"])
        .transform_window(passed="row_number()", groupby=["activation", "setting", "depth"])
        .transform_calculate(layers="datum.passed - 1")
    )


def _table(six: pd.DataFrame) -> Table:
    rows = []
    for name in ACTIVATIONS:
        settings = [_left(six.loc[name, setting.name]["mean"]) for setting in SETTINGS]
        slopes = six.loc[name, PLAIN]["slopes"]
        published = _left(PUBLISHED[name]) if name in PUBLISHED else NO_NUMBER
        rows.append([name, published, _left(_bound(name, SIX)), _left(slopes), *settings])
    return Table(
        f"What is left of the message after {SIX} layers (1 is all of it): as often taught, the bound, and as "
        "measured. Slopes alone: the product of the layers' root mean square slopes under the default initialisation. "
        "The bound is one on this product alone.",
        ["activation", "often taught", "bound", "slopes alone", *(setting.name for setting in SETTINGS)],
        rows,
    )


def _gain_table(deep: pd.DataFrame, deepest: int) -> Table:
    rows = [
        [name, _left(_bound(name, 1)), *(_left(deep.loc[name, setting.name]["gain"]) for setting in SETTINGS)]
        for name in ACTIVATIONS
    ]
    return Table(
        f"Gain per layer in networks of {deepest} layers, before training: by what factor the root mean square of the "
        "weight gradient changes from a layer to the layer before it (least-squares fit over all hidden layers but the "
        "first, geometric mean of the seeds). The largest slope bounds the slope's factor alone, not that of weights, "
        "normalisation or skips.",
        ["activation", "largest slope", *(setting.name for setting in SETTINGS)],
        rows,
    )
