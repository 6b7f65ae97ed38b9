"""Section 3: the telephone game."""

import altair as alt
import numpy as np
import pandas as pd

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
from gradflow.lesson.numbers import power, short
from gradflow.lesson.section import Control, Figure, Panel, Remark, Rule, Section
from gradflow.runs.metrics import NO_NUMBER

BOUND = "bound: product of the largest slopes"
_LINES = [setting.name for setting in SETTINGS] + [BOUND]


def section(signals: pd.DataFrame, *, seeds: int) -> Section:
    """The section, from `telephone.signals`."""
    six = _at(signals, depth=SIX)
    sigmoid, relu = (six.loc[name, PLAIN] for name in ("sigmoid", "relu"))
    right = six.loc["relu", RIGHT]
    deepest = int(signals["depth"].max())
    deep = _at(signals, depth=deepest)
    return Section(
        name="telephone",
        title="The telephone game",
        paragraphs=[
            "The gradient is a message passed from layer to layer, from the output back to the input. Each layer "
            "multiplies it by the slope of its activation and by its weights. The usual story counts only the slopes: "
            f"a sigmoid leaves at most {_slope('sigmoid')} of the signal, so {SIX} layers leave at most "
            f"{power(_slope('sigmoid'), SIX)} = {short(_bound('sigmoid', SIX))}. That is a bound, not a measurement.",
            f"In real networks with random weights, {SIX} sigmoid layers leave {_left(sigmoid['mean'])} of the signal "
            "under PyTorch's default initialisation, because the weights shrink it too. Even ReLU, whose bound is "
            f"{short(_bound('relu', SIX))}, leaves {_left(relu['mean'])}: half of its units are off at any moment, so "
            f"the slopes alone leave {_left(relu['slopes'])} (root mean square). The right initialisation makes the "
            f"weights larger to compensate, and {_left(right['mean'])} of the signal arrives.",
            f"Through {deepest} layers, the default leaves {short(deep.loc['sigmoid', PLAIN]['mean'])} of the signal "
            f"with sigmoid and {short(deep.loc['relu', PLAIN]['mean'])} with ReLU. With the right initialisation, ReLU "
            f"keeps {_left(deep.loc['relu', RIGHT]['mean'])} and sigmoid {short(deep.loc['sigmoid', RIGHT]['mean'])}; "
            f"sigmoid keeps {_left(deep.loc['sigmoid', BATCHNORM]['mean'])} with BatchNorm and "
            f"{_left(deep.loc['sigmoid', RESIDUAL]['mean'])} with residual connections. A signal can also grow: ReLU "
            "with the right initialisation and residual connections multiplies it by "
            f"{short(deep.loc['relu', BOTH]['mean'])}.",
        ],
        parts=[_figure(signals, seeds), _table(six)],
        rules=[
            Rule(
                "Match the initialisation to the activation: gain / √inputs, where the gain is √2 for ReLU (He).",
                f"{deepest} ReLU layers multiply the gradient by {_left(deep.loc['relu', RIGHT]['mean'])} with it and "
                f"by {short(deep.loc['relu', PLAIN]['mean'])} with the default.",
            ),
            Rule(
                "For more than a handful of layers, use BatchNorm (or another normalisation) or residual connections.",
                f"{deepest} sigmoid layers multiply the gradient by {_left(deep.loc['sigmoid', BATCHNORM]['mean'])} "
                f"with BatchNorm, by {_left(deep.loc['sigmoid', RESIDUAL]['mean'])} with residual connections, and "
                f"by {short(deep.loc['sigmoid', PLAIN]['mean'])} with neither.",
            ),
        ],
    )


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
        "Slopes alone: the product of the layers' root mean square slopes under the default initialisation.",
        ["activation", "often taught", "bound", "slopes alone", *(setting.name for setting in SETTINGS)],
        rows,
    )
