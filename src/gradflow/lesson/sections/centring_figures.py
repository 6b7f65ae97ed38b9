"""Zero-centred or not, in figures: signs of gradients, two weights on their way, networks by learning rate."""

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd

from gradflow.figures.marks import data
from gradflow.lesson import marks
from gradflow.lesson.experiments.centred_network import BLOCKS, NAMES, RATES, WIDTH, Trained
from gradflow.lesson.experiments.centred_unit import OPPOSITE, START, Unit
from gradflow.lesson.experiments.centring import SGD, TANH, TANH_UP
from gradflow.lesson.experiments.zero_centred import Signs
from gradflow.lesson.numbers import percent, short
from gradflow.lesson.section import Control, Entry, Figure, Panel, Remark

_COLOURS = {"grows": "#0072b2", "shrinks": "#d55e00"}
_PATHS = [TANH, TANH_UP]
HIGHEST_LOSS = 10.0  # nats; more is off the chart


def signs(measured: Mapping[str, Signs], found: str) -> Figure:
    """Which way each digit moves each weight, by activation, and what was found in words."""
    panels = [Panel(f"inputs from {name}", _heat_map(one), aspect=_aspect(one)) for name, one in measured.items()]
    return Figure(
        name="signs",
        title="Which way each weight would move",
        found=found,
        reading="One row per digit, one column per weight of the unit: the step that gradient descent would take for "
        "that digit alone, in a random network.",
        legend=[Entry(f"weight {word}", colour, is_square=True) for word, colour in _COLOURS.items()],
        panels=panels,
        picture=panels,
        columns=2,
    )


def _aspect(signs: Signs) -> float:
    samples, weights = signs.signs.shape
    return samples / weights


def _heat_map(signs: Signs) -> alt.LayerChart:
    samples, weights = np.indices(signs.signs.shape)
    # Descent goes against the gradient.
    words = np.where(signs.signs.flatten() < 0, "grows", np.where(signs.signs.flatten() > 0, "shrinks", "stays"))
    frame = pd.DataFrame({"digit": samples.flatten() + 1, "weight": weights.flatten() + 1, "move": words})
    axis = alt.Axis(values=[1, 12, 24], labelAngle=0, ticks=False, domain=False)
    scale = alt.Scale(domain=[*_COLOURS, "stays"], range=[*_COLOURS.values(), "#8a8a8a"])
    cells = (
        alt.Chart()
        .mark_rect()
        .encode(
            x=alt.X("weight:O", title="weight", axis=axis),
            y=alt.Y("digit:O", title="digit", axis=axis),
            color=alt.Color("move:N", title="", scale=scale),
            tooltip=["digit:O", "weight:O", "move:N"],
        )
    )
    return marks.layers(cells, data=frame)


def paths(found: Mapping[str, Unit]) -> Figure:
    """The first seed's unit with tanh and with tanh + 1, step by step."""
    ways = {name: found[name].path for name in _PATHS}
    last = len(ways[TANH]) - 1
    frame = pd.concat([part.assign(activation=name) for name, part in ways.items()], ignore_index=True)
    points = np.concatenate([frame[["w1", "w2"]].to_numpy(), [OPPOSITE]])
    low, high = points.min(axis=0) - 0.15, points.max(axis=0) + 0.15
    extent = {"w1": (float(low[0]), float(high[0])), "w2": (float(low[1]), float(high[1]))}
    aspect = float((high[1] - low[1]) / (high[0] - low[0]))
    rows = data(frame, ["activation", "step", "w1", "w2", "distance"])
    titles = {name: f"inputs from {name}, rate {short(found[name].opposite[SGD].rate)}" for name in ways}

    def panels(where: str) -> list[Panel]:
        return [
            Panel(
                title,
                _path(rows, extent, f"{marks.same({'activation': name})}{where}", marks.colours(NAMES)[name]),
                aspect=aspect,
            )
            for name, title in titles.items()
        ]

    return Figure(
        name="zigzag",
        title="Two weights on their way",
        found=_same_way(ways),
        reading=f"From {_point(START)} to the target {_point(OPPOSITE)} (the cross), one sample per step, plain SGD, "
        "each at its own best rate; the inputs are the same random numbers, passed through tanh or through tanh + 1. "
        "Dots are the weights after each step; both axes have the same scale. The first seed.",
        controls=[Control("step", "steps", {str(step): step for step in range(1, last + 1)}, last)],
        panels=panels(" && datum.step <= step"),
        picture=panels(""),
        columns=2,
        remarks=[
            Remark(
                {"step": step},
                {f"distance to the target, {name}": short(way.iloc[step]["distance"]) for name, way in ways.items()},
            )
            for step in range(1, last + 1)
        ],
    )


def _same_way(ways: Mapping[str, pd.DataFrame]) -> str:
    same = {name: percent(way["same_sign"][1:].mean()) for name, way in ways.items()}
    return (
        f"One weight has to grow, the other to shrink. With {TANH_UP}, {same[TANH_UP]} of the steps move both the same "
        f"way, so the path zigzags; with {TANH}, {same[TANH]} do."
    )


def _point(weights: tuple[float, float]) -> str:
    return "({}, {})".format(*map(short, weights))


def _path(rows: alt.InlineData, extent: Mapping[str, tuple[float, float]], where: str, colour: str) -> alt.LayerChart:
    x = alt.X(**marks.quantity("w1", "first weight", domain=extent["w1"]))
    y = alt.Y(**marks.quantity("w2", "second weight", domain=extent["w2"]))
    base = alt.Chart().encode(x=x, y=y)
    line = base.mark_line(strokeWidth=1.6, color=colour).encode(order="step:Q")
    dots = base.mark_circle(size=26, color=colour, opacity=1).encode(
        tooltip=["step:Q", "w1:Q", "w2:Q", alt.Tooltip("distance:Q", title="distance to the target")]
    )
    (first, second) = OPPOSITE
    cross = base.mark_point(shape="cross", size=170, filled=True, color="currentColor", opacity=0.6).encode(
        x=alt.datum(first, type="quantitative"), y=alt.datum(second, type="quantitative")
    )
    return marks.layers(line, dots, cross, data=rows, where=where)


def by_rate(networks: Mapping[tuple[str, str], Trained], *, tuning: int, epochs: int, found: str) -> Figure:
    """Where networks end at every learning rate, by function, and what was found in words."""
    rows = [
        {"function": name, "optimizer": optimizer, "rate": rate, "loss": loss}
        for (name, optimizer), trained in networks.items()
        for rate, loss in zip(RATES[optimizer], trained.loss.by_rate, strict=True)
        if loss <= HIGHEST_LOSS
    ]
    frame = pd.DataFrame(rows)
    panels = [
        Panel(optimizer, _rates(frame[frame["optimizer"] == optimizer], rates), height=260)
        for optimizer, rates in RATES.items()
    ]
    return Figure(
        name="centring",
        title="Centred or not, at every learning rate",
        found=found,
        reading="Lower is better; the dot marks each function's best rate. Loss on the training digits after "
        f"{epochs} {'epoch' if epochs == 1 else 'epochs'}, {BLOCKS} hidden layers of {WIDTH} units, geometric mean of "
        f"the {tuning} seeds that choose the rate; above {short(HIGHEST_LOSS)} nats it is left out. Both axes are "
        "logarithmic.",
        legend=marks.line_legend(NAMES),
        panels=panels,
        picture=panels,
        columns=2,
    )


def _rates(frame: pd.DataFrame, rates: Sequence[float]) -> alt.LayerChart:
    lowest = 0.8 * float(frame["loss"].min())
    x = marks.quantity("rate", "learning rate", domain=(rates[0], rates[-1]), log=True)
    y = marks.quantity("loss", "training loss", domain=(min(lowest, 1.0), HIGHEST_LOSS), log=True)
    x_axis = alt.Axis(values=list(rates[::2]), format=".2~g")
    y_axis = alt.Axis(values=[0.01, 0.03, 0.1, 0.3, 1, 3, 10], format="~g")
    base = alt.Chart().encode(
        x=alt.X(**x | {"axis": x_axis}),
        y=alt.Y(**y | {"axis": y_axis}),
        color=marks.colour_of("function", NAMES),
    )
    line = base.mark_line(strokeWidth=2.2).encode(strokeDash=marks.dash_of("function", NAMES))
    hover = base.mark_point(size=120, opacity=0, filled=True).encode(
        tooltip=["function:N", alt.Tooltip("rate:Q", format=".3g"), alt.Tooltip("loss:Q", format=".3g")]
    )
    dot = base.transform_filter("datum.best").mark_circle(size=90, opacity=1)
    lowest_of = frame.groupby("function")["loss"].transform("min")
    return marks.layers(line, dot, hover, data=frame.assign(best=frame["loss"] == lowest_of))
