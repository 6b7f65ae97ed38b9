"""Section 1: the explorer."""

import math
import statistics
from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from gradflow.figures.table import Table
from gradflow.lesson import marks
from gradflow.lesson.experiments.explorer import COST_SHAPE, MATRIX_PRODUCT, SHOWN, Known
from gradflow.lesson.experiments.families import MAXOUT, Family, by_name
from gradflow.lesson.numbers import short
from gradflow.lesson.section import Control, Entry, Figure, Panel, Remark, Rule, Section

FUNCTION, SLOPE = "function f(z)", "slope f'(z)"
NOTHING = "nothing"
HEIGHT = (-2.0, 3.0)  # of the common axis
_DASH = "6 4"
_CHOSEN, _BESIDE = "#0072b2", "#d55e00"

Facts = Mapping[tuple[str, float | None], Known]


def section(
    families: Sequence[Family], curves: pd.DataFrame, facts: Facts, costs: Mapping[str, float], *, repetitions: int
) -> Section:
    """The section.

    Args:
        families: in the order of the drop-down list.
        curves: `explorer.curves` of them.
        facts: by name and value of the parameter.
        costs: by name, relative to ReLU.
        repetitions: timings behind each cost.
    """
    sigmoid, tanh, relu = (facts[name, None] for name in ("sigmoid", "tanh", "relu"))
    (left, right) = sigmoid.flat[0][1], sigmoid.flat[1][0]
    costliest = max((family.name for family in families), key=lambda name: costs[name])
    samples, units = COST_SHAPE
    return Section(
        name="explorer",
        title="Every activation and its slope",
        paragraphs=[
            "A layer computes z, a weighted sum of its inputs; the activation function f turns z into the layer's "
            "output. As the network learns, the gradient comes back through the same place and is multiplied by the "
            "slope f'(z). So look at both curves: the solid line for the way forward, the dashed line for the way "
            "back.",
            f"The slope of the sigmoid is never above {short(sigmoid.largest_slope)}, and the sigmoid is flat (its "
            f"slope under 5 % of that) below {short(left)} and above {short(right)}. The slope of tanh reaches "
            f"{short(tanh.largest_slope)}; that of ReLU is {short(relu.largest_slope)} wherever ReLU is on and 0 "
            "wherever it is off.",
            f"Cost is the time of a forward and backward pass over {samples} by {units} numbers, relative to ReLU: "
            f"the median of {repetitions} repetitions in which the activations take turns, on the machine that built "
            "this page. Costs alone change from build to build on the same machine. The costliest is "
            f"{costliest}, at {short(costs[costliest])} times ReLU"
            f"{' (its input is twice as wide)' if costliest == MAXOUT else ''}; the matrix product of a layer with "
            f"{units} inputs and {units} units costs {short(costs[MATRIX_PRODUCT])} times ReLU.",
        ],
        parts=[_figure(families, curves, facts, costs), _table(families, facts, costs)],
        rules=[_cost_rule(costs, costliest)],
    )


def _cost_rule(costs: Mapping[str, float], costliest: str) -> Rule:
    product = costs[MATRIX_PRODUCT]
    usual = statistics.median(cost for name, cost in costs.items() if name != MATRIX_PRODUCT)
    is_cheap = costs[costliest] < product
    return Rule(
        "Choose an activation for how well the network learns with it: its layer costs more than the function."
        if is_cheap
        else "Look at an activation's cost, too: it may cost as much as its layer.",
        f"In a layer of {COST_SHAPE[1]} inputs and units, the matrix product takes {short(product)} times as long as "
        f"ReLU, the costliest function ({costliest}) {short(costs[costliest])} times, the median one {short(usual)} "
        "times.",
    )


def _figure(families: Sequence[Family], curves: pd.DataFrame, facts: Facts, costs: Mapping[str, float]) -> Figure:
    rows = _rows(curves, families)
    return Figure(
        name="explorer",
        title="Function and slope",
        reading="Choose an activation, move its parameter if it has one, and compare it with another.",
        controls=_controls(families),
        legend=[
            Entry(FUNCTION, "currentColor"),
            Entry(SLOPE, "currentColor", _DASH),
            Entry("the chosen activation", _CHOSEN, is_square=True),
            Entry("the other activation", _BESIDE, is_square=True),
        ],
        panels=[Panel("", _chart(rows, chosen=_chosen(families), beside=_is_beside()), height=360)],
        picture=[
            Panel(
                _with_parameter(family, family.default),
                _chart(rows, chosen=marks.same({"activation": family.name, "parameter": family.default}), beside=None),
                height=150,
            )
            for family in families
        ],
        columns=5,
        remarks=[
            Remark(
                {"activation": name} | ({_signal(name): parameter} if parameter is not None else {}),
                {
                    "what it is": by_name(families)[name].source,
                    **_facts(known),
                    "cost": f"{short(costs[name])} times ReLU",
                },
            )
            for (name, parameter), known in facts.items()
        ],
    )


def _controls(families: Sequence[Family]) -> list[Control]:
    names = {family.name: family.name for family in families}
    parameters = [
        Control(
            _signal(family.name),
            family.parameter.label,
            {short(value): value for value in family.parameter.values},
            family.parameter.default,
            when={"activation": family.name},
        )
        for family in families
        if family.parameter
    ]
    return [
        Control("activation", "activation", names, "sigmoid", is_slider=False),
        *parameters,
        Control("beside", "compare with", {NOTHING: NOTHING, **names}, "relu", is_slider=False),
    ]


def _signal(name: str) -> str:
    return f"{name}_parameter"


def _chosen(families: Sequence[Family]) -> str:
    with_parameter = [family.name for family in families if family.parameter]
    matches = [f"(datum.activation === '{name}' && datum.parameter === {_signal(name)})" for name in with_parameter]
    return f"datum.activation === activation && ({' || '.join(['datum.parameter === null', *matches])})"


def _is_beside() -> str:
    return "datum.activation === beside && datum.is_default"


def _rows(curves: pd.DataFrame, families: Sequence[Family]) -> alt.InlineData:
    """One row per curve, with lists of its points: a third of the size of one row per point."""
    known = by_name(families)
    rows = []
    for (name, parameter), part in curves.groupby(["activation", "parameter"], dropna=False, sort=False):
        value = None if math.isnan(parameter) else float(parameter)
        points = {column: [float(f"{point:.4g}") for point in part[column]] for column in ("z", "value", "slope")}
        rows.append({"activation": name, "parameter": value, "is_default": value == known[name].default, **points})
    return alt.InlineData(values=rows)


def _chart(rows: alt.InlineData, *, chosen: str, beside: str | None) -> alt.LayerChart:
    colour = alt.Color(
        "role:N", title="", legend=None, scale=alt.Scale(domain=["chosen", "beside"], range=[_CHOSEN, _BESIDE])
    )
    x = marks.quantity("z", "z, the weighted sum", domain=(-SHOWN, SHOWN))
    tooltip = [alt.Tooltip("activation:N"), *(alt.Tooltip(f"{name}:Q") for name in ("z", "value", "slope"))]
    base = alt.Chart().encode(x=alt.X(**x), color=colour, detail="activation:N")
    title = "f(z) solid, f'(z) dashed"
    function = base.mark_line(strokeWidth=2.5, clip=True).encode(
        y=alt.Y(**marks.quantity("value", title, domain=HEIGHT))
    )
    slope = base.mark_line(strokeWidth=2, strokeDash=[6, 4], clip=True).encode(
        y=alt.Y(**marks.quantity("slope", title, domain=HEIGHT))
    )
    hover = base.mark_point(size=120, opacity=0, filled=True, clip=True).encode(
        y=alt.Y(**marks.quantity("value", title, domain=HEIGHT)), tooltip=tooltip
    )
    where = f"({chosen}) || ({beside})" if beside else chosen
    chart = marks.layers(function, slope, hover, data=rows, where=where)
    return chart.transform_calculate(role=f"({chosen}) ? 'chosen' : 'beside'").transform_flatten(
        ["z", "value", "slope"]
    )


def _facts(known: Known) -> dict[str, str]:
    return {
        "range": f"{short(known.lower)} to {short(known.upper)}",
        "largest slope": short(known.largest_slope),
        "zero-centred": "yes" if known.zero_centred else "no",
        "flat (slope under 5 % of the largest)": flat_text(known.flat),
    }


def flat_text(ranges: Sequence[tuple[float, float]]) -> str:
    """`z < -4.36, z > 4.36`, or `nowhere`."""
    return ", ".join(map(_range_text, ranges)) or "nowhere"


def _range_text(ends: tuple[float, float]) -> str:
    low, high = (0.0 if abs(end) < 1e-6 else end for end in ends)
    if math.isinf(low):
        return "everywhere" if math.isinf(high) else f"z < {short(high)}"
    return f"z > {short(low)}" if math.isinf(high) else f"{short(low)} < z < {short(high)}"


def _with_parameter(family: Family, value: float | None) -> str:
    return family.name if family.parameter is None or value is None else f"{family.name}, {_short_label(family, value)}"


def _short_label(family: Family, value: float) -> str:
    assert family.parameter is not None
    return f"{family.parameter.label} {short(value)}"


def _table(families: Sequence[Family], facts: Facts, costs: Mapping[str, float]) -> Table:
    rows = [
        [
            _with_parameter(family, family.default),
            *_facts(facts[family.name, family.default]).values(),
            short(costs[family.name]),
        ]
        for family in families
    ]
    headers = ["activation", "range", "largest slope", "zero-centred", "flat: slope under 5 % of the largest", "cost"]
    return Table("All activations with their usual parameters; cost relative to ReLU.", headers, rows)
