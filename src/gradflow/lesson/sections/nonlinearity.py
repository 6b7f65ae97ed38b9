"""Why a non-linearity: what is measured at every depth."""

import math
import statistics
from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd

from gradflow.figures.marks import data
from gradflow.figures.table import Table
from gradflow.lesson import marks
from gradflow.lesson.experiments import nonlinearity
from gradflow.lesson.experiments.nonlinearity import CELLS, REACH, SAMPLES, TEST_POINTS, Classifier
from gradflow.lesson.numbers import MINUS, percent, short
from gradflow.lesson.section import Control, Entry, Figure, Folded, Panel, Remark, Rule, Section, Text

GUESSING = 0.5 + 2 * math.sqrt(0.25 / SAMPLES)  # two standard deviations above what a coin gets right
ROUNDING = 1e-13  # float64 has 16 digits, and logits here are of the order of 1
_INNER, _OUTER = "#d55e00", "#0072b2"  # --class-1 and --class-0 of the page, which are clear on white and on black
_NAMES = {"identity": "No activation", "relu": "ReLU"}


def section(found: Sequence[Classifier]) -> Section:
    """The section, from every classifier."""
    depths = sorted({classifier.depth for classifier in found})
    linear, relu = (_accuracies(found, name) for name in nonlinearity.ACTIVATIONS)
    worst = max(classifier.difference or 0.0 for classifier in found)
    shallowest, deepest = ([one for one in found if one.depth == depth] for depth in (depths[0], depths[-1]))
    guessing = ", no better than guessing" if max(linear) <= GUESSING else ""
    rounding = ": the rounding error of the computer" if worst < ROUNDING else ""
    return Section(
        name="nonlinearity",
        title="Why a non-linearity?",
        paragraphs=[
            f"Would fewer layers do better, or other weights? Without an activation, {_span(linear)} of new points are "
            f"right, over all depths and seeds{guessing}; with ReLU, {_span(relu)}."
        ],
        parts=[
            _figure(found, depths),
            Folded(
                "Multiply the layers, and see that one is left",
                [
                    Text(
                        [
                            "Multiply the matrices of a network without activations and fold in its biases: one row of "
                            "weights and one bias remain. In double precision, they give the outputs of the whole "
                            f"network to within {short(worst)} at all points of the picture{rounding}."
                        ]
                    ),
                    _table(found, depths),
                ],
            ),
        ],
        rules=[
            Rule(
                "Put an activation between layers; without one, they amount to a single layer.",
                f"Without any, the accuracy is {_span(_accuracies(deepest, 'identity'))} with {depths[-1]} hidden "
                f"layers and {_span(_accuracies(shallowest, 'identity'))} with {depths[0]}; with ReLU and {depths[-1]} "
                f"hidden layers it is {_span(_accuracies(deepest, 'relu'))}.",
            )
        ],
    )


def _accuracies(found: Sequence[Classifier], name: str) -> list[float]:
    return [classifier.accuracy for classifier in found if classifier.activation == name]


def _span(accuracies: Sequence[float]) -> str:
    low, high = (percent(accuracy, 1) for accuracy in (min(accuracies), max(accuracies)))
    return low if low == high else f"{low} to {high}"


def _figure(found: Sequence[Classifier], depths: list[int]) -> Figure:
    drawn = {(one.activation, one.depth): one for one in reversed(found)}  # the first seed overwrites the others
    points = _points()
    control = Control("depth", "hidden layers", {str(depth): depth for depth in depths}, depths[0])
    return Figure(
        name="circles",
        title="At any depth: one straight line without an activation",
        reading="Colour: the class that the network predicts there, and how surely. Dots: new points.",
        found=f"Right on new points: {_pairs(drawn, depths)}.",
        controls=[control],
        legend=[Entry("inner circle", _INNER, is_square=True), Entry("outer circle", _OUTER, is_square=True)],
        panels=[
            Panel(
                title,
                _chart(_rows([drawn[name, depth] for depth in depths]), points, "datum.depth === depth"),
                aspect=1,
            )
            for name, title in _NAMES.items()
        ],
        picture=[
            Panel(
                f"{title}, {depth} deep",
                _chart(_rows([drawn[name, depth]]), points, "true"),
                aspect=1,
            )
            for name, title in _NAMES.items()
            for depth in depths
        ],
        columns=len(depths),
        remarks=[_remark(drawn["identity", depth], drawn["relu", depth]) for depth in depths],
    )


def _pairs(drawn: Mapping[tuple[str, int], Classifier], depths: Sequence[int]) -> str:
    """`49 % without activation and 89 % with ReLU at 1 hidden layer; …`, the shallowest and the deepest."""
    said = []
    for depth in sorted({depths[0], depths[-1]}):
        linear, relu = (percent(drawn[name, depth].accuracy) for name in _NAMES)
        layers = "hidden layer" if depth == 1 else "hidden layers"
        said.append(f"{linear} without activation and {relu} with ReLU at {depth} {layers}")
    return "; ".join(said)


def _remark(linear: Classifier, relu: Classifier) -> Remark:
    assert linear.collapsed is not None
    return Remark(
        {"depth": linear.depth},
        {
            "right without activation": percent(linear.accuracy, 1),
            "right with ReLU": percent(relu.accuracy, 1),
            "all layers of the first in one": _one_function(linear.collapsed),
        },
    )


def _one_function(collapsed: tuple[np.ndarray, float]) -> str:
    """`logit = -0.1005 x₁ + 0.0004 x₂ - 0.0004`, the minus signs typographic."""
    (first, second), bias = collapsed
    signed = [f"{number:+.4f}".replace("-", f"{MINUS} ").replace("+", "+ ") for number in (second, bias)]
    return f"logit = {first:.4f}".replace("-", MINUS) + f" x₁ {signed[0]} x₂ {signed[1]}"


def _rows(drawn: Sequence[Classifier]) -> alt.InlineData:
    """One row per network: the probability of every cell in per cent, row by row from the bottom."""
    return alt.InlineData(
        values=[
            {
                "activation": one.activation,
                "depth": one.depth,
                "inner": np.round(100 * one.regions).astype(int).flatten().tolist(),
            }
            for one in drawn
        ]
    )


def _points() -> pd.DataFrame:
    x, y = nonlinearity.points(TEST_POINTS)
    classes = np.where(y.numpy() == 1, "inner circle", "outer circle")
    return pd.DataFrame({"x1": x[:, 0].numpy(), "x2": x[:, 1].numpy(), "class": classes})


def _chart(rows: alt.InlineData, points: pd.DataFrame, where: str) -> alt.LayerChart:
    side = 2 * REACH / CELLS
    scale = alt.Scale(domain=["inner circle", "outer circle"], range=[_INNER, _OUTER])
    axes = [marks.quantity(name, title, domain=(-REACH, REACH)) for name, title in (("x1", "x₁"), ("x2", "x₂"))]
    x, y = (axis | {"axis": alt.Axis(tickCount=5, grid=False)} for axis in axes)
    regions = (
        alt.Chart(rows)
        .transform_filter(where)
        .transform_flatten(["inner"])
        .transform_window(cell="row_number()")
        .transform_calculate(
            x1=f"{-REACH} + {side} * ((datum.cell - 1) % {CELLS})",
            x2=f"{-REACH} + {side} * floor((datum.cell - 1) / {CELLS})",
            x1_end=f"datum.x1 + {side}",
            x2_end=f"datum.x2 + {side}",
            **{"class": "datum.inner > 50 ? 'inner circle' : 'outer circle'", "sureness": "abs(datum.inner - 50)"},
        )
        .mark_rect()
        .encode(
            x=alt.X(**x),
            y=alt.Y(**y),
            x2="x1_end:Q",
            y2="x2_end:Q",
            color=alt.Color("class:N", scale=scale, title=""),
            opacity=alt.Opacity("sureness:Q", scale=alt.Scale(domain=[0, 50], range=[0.08, 0.5]), legend=None),
            tooltip=[alt.Tooltip("inner:Q", title="inner circle, %")],
        )
    )
    dots = (
        alt.Chart(points)
        .mark_circle(size=28, opacity=1, stroke="white", strokeWidth=0.7, clip=True)
        .encode(x=alt.X(**x), y=alt.Y(**y), color=alt.Color("class:N", scale=scale, title=""))
    )
    return alt.LayerChart(layer=[regions, dots.properties(data=data(points, list(points.columns)))])


def _table(found: Sequence[Classifier], depths: Sequence[int]) -> Table:
    rows = []
    for depth in depths:
        of_depth = [one for one in found if one.depth == depth]
        accuracies = [statistics.mean(_accuracies(of_depth, name)) for name in nonlinearity.ACTIVATIONS]
        worst = max(one.difference or 0.0 for one in of_depth)
        rows.append([str(depth), *(percent(accuracy, 1) for accuracy in accuracies), short(worst)])
    seeds = len({one.seed for one in found})
    return Table(
        f"Accuracy on {SAMPLES} new points, mean of {seeds} seeds.",
        [
            "hidden layers",
            "no activation",
            "ReLU",
            "largest difference between the network without activation and its one matrix",
        ],
        rows,
    )
