"""Section 5: zero-centred or not."""

from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd

from gradflow.figures.marks import data
from gradflow.lesson import marks
from gradflow.lesson.experiments.zero_centred import START, STEP_SIZE, TARGET, Signs, chance_share
from gradflow.lesson.numbers import percent, short
from gradflow.lesson.section import Control, Entry, Figure, Panel, Remark, Rule, Section

_COLOURS = {"grows": "#0072b2", "shrinks": "#d55e00"}
_NAMES = ["sigmoid", "tanh"]


def section(signs: Mapping[str, Signs], descents: Mapping[str, pd.DataFrame]) -> Section:
    """The section, both by activation."""
    shared = {name: percent(float(one.shared.mean())) for name, one in signs.items()}
    together = {name: percent(frame["same_sign"][1:].mean()) for name, frame in descents.items()}
    last = {name: frame.iloc[-1]["distance"] for name, frame in descents.items()}
    samples, weights = signs["sigmoid"].signs.shape
    return Section(
        name="zero-centred",
        title="Zero-centred or not",
        paragraphs=[
            "The gradient of a weight is the error at its unit times the input that comes in through the weight. A "
            "sigmoid's outputs are all positive. So if a unit's inputs come from sigmoids, the gradients of all its "
            "weights have the same sign for any one sample: all weights grow or all shrink.",
            f"Measured on one unit with {weights} weights and {samples} digits: with sigmoid {shared['sigmoid']} of a "
            f"sample's gradients have the more common sign, with tanh {shared['tanh']}; tossing a coin for each sign "
            f"gives {percent(chance_share(weights))}. Averaged over these digits, the signs mix again: with sigmoid "
            f"{percent(signs['sigmoid'].of_the_mean)} have the more common sign, so batches soften the effect.",
            "If one weight has to grow and another to shrink, such steps can only zigzag towards the target. The unit "
            f"below learns two weights, sample by sample: {together['sigmoid']} of its steps move both weights the "
            f"same way with sigmoid inputs, {together['tanh']} with tanh inputs; after "
            f"{len(descents['sigmoid']) - 1} steps the distance to the target is {short(last['sigmoid'])} with sigmoid "
            f"inputs and {short(last['tanh'])} with tanh inputs.",
        ],
        parts=[_sign_figure(signs), _path_figure(descents)],
        rules=[
            Rule(
                "Of two otherwise similar activations, choose the zero-centred one.",
                f"{len(descents['sigmoid']) - 1} steps come within {short(last['tanh'])} of the target with tanh "
                f"inputs and within {short(last['sigmoid'])} with sigmoid inputs.",
            )
        ],
    )


def _sign_figure(signs: Mapping[str, Signs]) -> Figure:
    panels = [Panel(f"inputs from {name}", _heat_map(signs[name]), height=300) for name in _NAMES]
    return Figure(
        name="signs",
        title="Which way each weight would move",
        reading="One row per digit, one column per weight of the unit: the step that gradient descent would take for "
        "that digit alone.",
        legend=[Entry(f"weight {word}", colour, is_square=True) for word, colour in _COLOURS.items()],
        panels=panels,
        picture=panels,
        columns=2,
    )


def _heat_map(signs: Signs) -> alt.LayerChart:
    samples, weights = np.indices(signs.signs.shape)
    # Descent goes against the gradient.
    words = np.where(signs.signs.flatten() < 0, "grows", np.where(signs.signs.flatten() > 0, "shrinks", "stays"))
    frame = pd.DataFrame({"digit": samples.flatten() + 1, "weight": weights.flatten() + 1, "move": words})
    axis = alt.Axis(values=[1, 12, 24], labelAngle=0, ticks=False, domain=False)
    cells = (
        alt.Chart()
        .mark_rect()
        .encode(
            x=alt.X("weight:O", title="weight", axis=axis),
            y=alt.Y("digit:O", title="digit", axis=axis),
            color=alt.Color(
                "move:N",
                title="",
                scale=alt.Scale(domain=[*_COLOURS, "stays"], range=[*_COLOURS.values(), "#8a8a8a"]),
            ),
            tooltip=["digit:O", "weight:O", "move:N"],
        )
    )
    return marks.layers(cells, data=frame)


def _path_figure(descents: Mapping[str, pd.DataFrame]) -> Figure:
    last = len(descents["sigmoid"]) - 1
    frame = pd.concat([part.assign(activation=name) for name, part in descents.items()], ignore_index=True)
    points = frame[["w1", "w2"]].to_numpy()
    low, high = points.min(axis=0) - 0.15, points.max(axis=0) + 0.15
    extent = {"w1": (float(low[0]), float(high[0])), "w2": (float(low[1]), float(high[1]))}
    rows = data(frame, ["activation", "step", "w1", "w2", "distance"])
    return Figure(
        name="zigzag",
        title="Two weights on their way",
        reading=f"From {_point(START)} to the target {_point(TARGET)} (the cross), one sample per step, learning rate "
        f"{STEP_SIZE:g}; the inputs are the same random numbers, passed through sigmoid or through tanh. Dots are the "
        "weights after each step.",
        controls=[Control("step", "steps", {str(step): step for step in range(1, last + 1)}, last)],
        panels=[
            Panel(
                f"inputs from {name}",
                _path(rows, extent, f"datum.activation === '{name}' && datum.step <= step"),
                height=320,
            )
            for name in _NAMES
        ],
        picture=[
            Panel(f"inputs from {name}", _path(rows, extent, marks.same({"activation": name})), height=250)
            for name in _NAMES
        ],
        columns=2,
        remarks=[
            Remark(
                {"step": step},
                {f"distance to the target, {name}": short(descents[name].iloc[step]["distance"]) for name in _NAMES},
            )
            for step in range(1, last + 1)
        ],
    )


def _point(weights: tuple[float, float]) -> str:
    return "({:g}, {:g})".format(*weights)


def _path(rows: alt.InlineData, extent: Mapping[str, tuple[float, float]], where: str) -> alt.LayerChart:
    x = alt.X(**marks.quantity("w1", "first weight", domain=extent["w1"]))
    y = alt.Y(**marks.quantity("w2", "second weight", domain=extent["w2"]))
    base = alt.Chart().encode(x=x, y=y)
    line = base.mark_line(strokeWidth=1.6, color="#0072b2").encode(order="step:Q")
    dots = base.mark_circle(size=26, color="#0072b2", opacity=1).encode(
        tooltip=["step:Q", "w1:Q", "w2:Q", alt.Tooltip("distance:Q", title="distance to the target")]
    )
    (first, second) = TARGET
    cross = base.mark_point(shape="cross", size=170, filled=True, color="#d55e00", opacity=1).encode(
        x=alt.datum(first, type="quantitative"), y=alt.datum(second, type="quantitative")
    )
    return marks.layers(line, dots, cross, data=rows, where=where)
