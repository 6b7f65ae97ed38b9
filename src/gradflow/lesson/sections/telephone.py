"""Section 3: the telephone game."""

import math

import altair as alt
import numpy as np
import pandas as pd
from torch import nn

from gradflow.activations import gain
from gradflow.figures.marks import data
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
from gradflow.lesson.numbers import percent, power, short
from gradflow.lesson.section import Control, Figure, Panel, Remark, Rule, Section
from gradflow.runs.metrics import NO_NUMBER

BOUND = "bound: product of the largest slopes"
_LINES = [setting.name for setting in SETTINGS] + [BOUND]


def section(signals: pd.DataFrame, *, seeds: int) -> Section:
    """The section, from `telephone.signals`."""
    deepest = int(signals["depth"].max())
    six, deep = _at(signals, depth=SIX), _at(signals, depth=deepest)
    return Section(
        name="telephone",
        title="The telephone game",
        paragraphs=[*_six_layers(six), _deep(deep, deepest), _per_layer(deep, deepest)],
        parts=[_figure(signals, seeds), _table(six), _gain_table(deep, deepest)],
        rules=_rules(deep, deepest),
    )


def _six_layers(six: pd.DataFrame) -> list[str]:
    sigmoid, relu, weights = (six.loc[name, PLAIN] for name in ("sigmoid", "relu", "identity"))
    on = relu["slopes"] ** (2 / SIX)  # a slope is 0 or 1, so its mean square is the share of ones
    larger = gain(nn.ReLU()) * math.sqrt(3)  # standard deviations gain / √inputs and 1 / √(3 inputs)
    return [
        "The gradient is a message passed from layer to layer, from the output back to the input. Each layer "
        "multiplies it by the slope of its activation and by its weights. The usual story counts only the slopes: "
        f"a sigmoid's slope is at most {_slope('sigmoid')}, so {SIX} layers leave at most "
        f"{power(_slope('sigmoid'), SIX)} = {short(_bound('sigmoid', SIX))}. That bounds the slopes' factor alone. It "
        "says nothing about weights and normalisation, which multiply the signal too: measured, "
        f"{SIX} sigmoid layers leave {_left(sigmoid['mean'])} of it under PyTorch's default initialisation, and "
        f"{_left(six.loc['sigmoid', BATCHNORM]['mean'])} with BatchNorm.",
        f"Under the default initialisation, the slopes alone leave {_left(sigmoid['slopes'])} (root mean square), and "
        f"the weights alone, in a network without activation functions, {_left(weights['mean'])}. ReLU, whose bound is "
        f"{short(_bound('relu', SIX))}, leaves {_left(relu['mean'])}: about {percent(on)} of its outputs are on at any "
        f"moment, so the slopes alone leave {_left(relu['slopes'])}. The right initialisation draws ReLU's weights "
        f"{short(larger, 2)} times as large, and {_left(six.loc['relu', RIGHT]['mean'])} of the signal arrives.",
    ]


def _deep(deep: pd.DataFrame, deepest: int) -> str:
    return (
        f"Through {deepest} layers, the default leaves {short(deep.loc['sigmoid', PLAIN]['mean'])} of the signal "
        f"with sigmoid and {short(deep.loc['relu', PLAIN]['mean'])} with ReLU. With the right initialisation, ReLU "
        f"keeps {_left(deep.loc['relu', RIGHT]['mean'])} and sigmoid {short(deep.loc['sigmoid', RIGHT]['mean'])}; "
        f"sigmoid keeps {_left(deep.loc['sigmoid', BATCHNORM]['mean'])} with BatchNorm and "
        f"{_left(deep.loc['sigmoid', RESIDUAL]['mean'])} with residual connections. ReLU with the right "
        "initialisation and residual connections multiplies the signal by "
        f"{short(deep.loc['relu', BOTH]['mean'])}{': it can grow, too' if deep.loc['relu', BOTH]['mean'] > 1 else ''}."
    )


def _per_layer(deep: pd.DataFrame, deepest: int) -> str:
    sigmoid, relu = (deep.loc[name, PLAIN]["gain"] for name in ("sigmoid", "relu"))
    both = deep.loc["relu", BOTH]
    return (
        f"Per layer: in the network of {deepest} layers with the default initialisation, each sigmoid layer passes on "
        f"{_left(sigmoid)} of the gradient to the layer before it, and each ReLU layer {_left(relu)}. This gain per "
        f"layer is also what gradflow records in every run. The {_slope('sigmoid')} bounds the slope's part of it, no "
        f"more: with BatchNorm a sigmoid layer passes on {_left(deep.loc['sigmoid', BATCHNORM]['gain'])}. It is taken "
        "from the gradient of the weights, the product of the signal that comes back and the activations that come "
        f"forward. With ReLU, the right initialisation and residual connections, the signal changes by a factor of "
        f"{_left(both['mean'] ** (1 / deepest))} a layer on its way back, the activations by "
        f"{_left(both['forward'])} a layer on their way forward, and the gain per layer is {_left(both['gain'])}."
    )


def _rules(deep: pd.DataFrame, deepest: int) -> list[Rule]:
    left = deep["mean"]
    return [
        Rule(
            "Match the initialisation to the activation: a standard deviation of gain / √inputs, where the gain is √2 "
            "for ReLU (He et al. 2015, arXiv:1502.01852).",
            f"{deepest} ReLU layers multiply the gradient by {_left(left['relu', RIGHT])} with it and by "
            f"{short(left['relu', PLAIN])} with the default.",
        ),
        Rule(
            "Where the initialisation does not keep the signal up, as with sigmoid, use BatchNorm or residual "
            "connections.",
            f"{deepest} sigmoid layers multiply the gradient by {_left(left['sigmoid', BATCHNORM])} with BatchNorm, by "
            f"{_left(left['sigmoid', RESIDUAL])} with residual connections, and with neither by "
            f"{short(left['sigmoid', RIGHT])} (initialisation that fits) or {short(left['sigmoid', PLAIN])} (default).",
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


def _with_bounds(signals: pd.DataFrame) -> pd.DataFrame:
    """With the bound as one more line for every activation and depth."""
    parts = [signals]
    for (name, depth), _ in signals.groupby(["activation", "depth"], sort=False):
        layers = np.arange(depth + 1)
        mean = telephone.bound(ACTIVATIONS[name](), layers)
        parts.append(
            pd.DataFrame({"activation": name, "setting": BOUND, "depth": depth, "layers": layers, "mean": mean})
        )
    return pd.concat(parts, ignore_index=True)


def _figure(signals: pd.DataFrame, seeds: int) -> Figure:
    rows = _with_bounds(signals)
    depths = sorted(signals["depth"].unique().tolist())
    shown = depths[len(depths) // 2]
    names = list(ACTIVATIONS)
    inline = data(rows, ["activation", "setting", "depth", "layers", "mean", "low", "high"])
    return Figure(
        name="telephone",
        title="What is left of the signal on its way back",
        reading="Norm of the gradient of the loss with respect to a layer's output, divided by that of the last hidden "
        f"layer, on a log scale. Lines are geometric means of {seeds} random networks, bands 95 % t intervals. Start "
        "at the left, where the signal leaves the output, and follow it to the input. The numbers show what is left "
        "there; 1 is all of it.",
        controls=[
            Control("activation", "activation", {name: name for name in names}, "sigmoid", is_slider=False),
            Control("depth", "hidden layers", {str(depth): depth for depth in depths}, shown),
        ],
        legend=marks.line_legend(_LINES),
        panels=[Panel("", _chart(inline, "datum.activation === activation && datum.depth === depth"), height=380)],
        picture=[
            Panel(name, _chart(inline, marks.same({"activation": name, "depth": shown})), height=200) for name in names
        ],
        remarks=_remarks(rows),
    )


def _remarks(rows: pd.DataFrame) -> list[Remark]:
    remarks = []
    for (name, depth), part in rows.groupby(["activation", "depth"], sort=False):
        last = part[part["layers"] == depth].set_index("setting")
        lines = {setting: _left(last.loc[setting, "mean"]) for setting in _LINES}
        slopes = {"slopes alone, default initialisation": _left(last.loc[PLAIN, "slopes"])}
        remarks.append(Remark({"activation": name, "depth": depth}, lines | slopes))
    return remarks


def _chart(rows: alt.InlineData, where: str) -> alt.LayerChart:
    x = alt.X(**marks.quantity("layers", "layers passed, from the output (0) to the input", axis_format=marks.WHOLE))

    def y(field: str) -> alt.Y:
        return alt.Y(**marks.quantity(field, "what is left of the signal", axis_format="~e", log=True))

    base = alt.Chart().encode(x=x, color=marks.colour_of("setting", _LINES))
    band = base.transform_filter("isValid(datum.low)").mark_area(opacity=0.15).encode(y=y("low"), y2="high:Q")
    line = base.mark_line(strokeWidth=2.2).encode(y=y("mean"), strokeDash=marks.dash_of("setting", _LINES))
    tooltip = [
        alt.Tooltip("setting:N", title="network"),
        alt.Tooltip("layers:Q", title="layers passed"),
        alt.Tooltip("mean:Q", title="left", format=".2e"),
    ]
    hover = base.mark_point(size=120, opacity=0, filled=True).encode(y=y("mean"), tooltip=tooltip)
    return marks.layers(band, line, hover, data=rows, where=where)


def _table(six: pd.DataFrame) -> Table:
    rows = []
    for name in ACTIVATIONS:
        settings = [_left(six.loc[name, setting.name]["mean"]) for setting in SETTINGS]
        slopes = six.loc[name, PLAIN]["slopes"]
        published = _left(PUBLISHED[name]) if name in PUBLISHED else NO_NUMBER
        rows.append([name, published, _left(_bound(name, SIX)), _left(slopes), *settings])
    return Table(
        f"What is left of the signal after {SIX} layers (1 is all of it): as often taught, the bound, and as measured. "
        "Slopes alone: the product of the layers' root mean square slopes under the default initialisation. The bound "
        "is one on this product alone.",
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
