"""Section 5: what the unit shows that learns two weights from centred inputs and from others."""

import math
from collections.abc import Mapping, Sequence

from gradflow.figures.table import Table
from gradflow.lesson.experiments import centred_unit
from gradflow.lesson.experiments.centred_unit import COMMON_RATE, OPPOSITE, START, STEPS, Unit
from gradflow.lesson.experiments.centring import (
    ADAM,
    FUNCTIONS,
    NARROW,
    OPTIMIZERS,
    PAIRS,
    SGD,
    SIGMOID,
    SIGMOID_DOWN,
    TANH,
    TANH_UP,
    Tuned,
    geometric_mean,
    times_as_much,
)
from gradflow.lesson.numbers import percent, short, times
from gradflow.lesson.section import Rule
from gradflow.study.statistics import Summary

Units = Mapping[str, Unit]
ALIKE, FAR = 2.0, 100.0  # distances within a factor of 2 count as alike; a hundredth is much nearer


def paragraphs(units: Units) -> list[str]:
    """At one rate for all, at each function's own, why, and whether the zigzag matters."""
    return [_common_rate(units), _own_rate(units), _reason(units), _zigzag(units)]


def _common_rate(units: Units) -> str:
    """What one rate for all shows: above all, the spread."""
    common = {name: unit.common for name, unit in units.items()}
    narrow = [common[name] for name in (SIGMOID, SIGMOID_DOWN, NARROW)]
    is_spread = max(narrow) < ALIKE * min(narrow) and common[TANH] < min(narrow) / FAR
    away = common[TANH_UP] > math.dist(START, OPPOSITE)
    return (
        f"At one learning rate for all, {COMMON_RATE:g}, the weights end {short(common[TANH])} from the target with "
        f"{TANH}, {short(common[SIGMOID])} with {SIGMOID}, {short(common[SIGMOID_DOWN])} with {SIGMOID_DOWN}, and "
        f"{short(common[NARROW])} with tanh made as narrow as the sigmoid (geometric means of {centred_unit.SEEDS} "
        f"seeds){': among these the spread decides, and centring the sigmoid does not help' if is_spread else ''}. "
        f"With {TANH_UP}, which has the largest outputs, they end {short(common[TANH_UP])} away"
        f"{', further than they started: the rate is too large for it' if away else ''}."
    )


def _own_rate(units: Units) -> str:
    """What is left of the difference when every function has the rate that suits it."""
    wide, narrow = (float(geometric_mean(units[name].opposite[SGD].reached)) for name in (TANH, NARROW))
    tanh, sigmoid = (times_as_much(units[b].opposite[SGD], units[a].opposite[SGD]) for a, b in PAIRS)
    no_spread = max(wide, narrow) < ALIKE * min(wide, narrow)
    return (
        f"Now each at its own best rate, chosen with {centred_unit.TUNING} other seeds from {len(centred_unit.RATES)} "
        f"rates between {short(centred_unit.RATES[0])} and {short(centred_unit.RATES[-1])}. Narrow and wide tanh end "
        f"{short(narrow)} and {short(wide)} from the target{': the spread no longer matters' if no_spread else ''}. "
        f"But {TANH_UP} ends {times(tanh)} as far from it as {TANH}, and {SIGMOID} {times(sigmoid)} as far as "
        f"{SIGMOID_DOWN} (in brackets, 95\N{NO-BREAK SPACE}% t intervals, paired by seed)."
    )


def _reason(units: Units) -> str:
    """Why, and when not."""
    adam = [times_as_much(units[b].opposite[ADAM], units[a].opposite[ADAM]) for a, b in PAIRS]
    best = {name: unit.opposite[SGD] for name, unit in units.items()}
    rates = {name: short(one.rate) for name, one in best.items()}
    lower = centred_unit.RATES.index(best[TANH_UP].rate)
    shifted, centred = (float(best[name].by_rate[lower]) for name in (TANH_UP, TANH))
    steep, flat = (short(curvature(name)) for name in (TANH_UP, TANH))
    return (
        f"The reason is {'' if centred > shifted / ALIKE else 'in part '}the learning rate. A mean that all inputs "
        "share makes the loss steeper in the direction in which both weights move alike (curvature "
        f"{steep} with {TANH_UP}, {flat} with {TANH}), and the rate has to suit the steepest direction (LeCun et al. "
        f"1998, Efficient BackProp): the best is {rates[TANH_UP]} instead of {rates[TANH]}, and {rates[SIGMOID]} "
        f"instead of {rates[SIGMOID_DOWN]}. At {rates[TANH_UP]}, the distance is {short(centred)} with {TANH} and "
        f"{short(shifted)} with {TANH_UP}, on the seeds that chose the rates. With Adam, {TANH_UP} ends "
        f"{times(adam[0])} as far as {TANH}, and {SIGMOID} {times(adam[1])} as far as {SIGMOID_DOWN}"
        f"{nothing_shown(adam)}."
    )


def _zigzag(units: Units) -> str:
    """Whether the direction of the target matters."""
    alike = times_as_much(units[TANH_UP].alike, units[TANH].alike)
    same = percent(units[TANH_UP].path["same_sign"][1:].mean())
    still = alike is not None and alike.low > 1
    return (
        f"The zigzag that the figure shows ({same} of the steps with {TANH_UP} move both weights the same way, though "
        f"one has to grow and the other to shrink) is {'not needed for this' if still else 'needed for this'}: where "
        f"both weights have to grow, {TANH_UP} ends {times(alike)} as far as {TANH}, each at its best rate."
    )


def curvature(name: str) -> float:
    """The largest eigenvalue of the expected product of two inputs: variance, plus twice the squared mean."""
    function = FUNCTIONS[name]
    return function.spread**2 + len(START) * function.mean**2


def table(units: Units) -> Table:
    """Every function, at one rate for all and at its own."""
    rows = []
    for name, unit in units.items():
        function = FUNCTIONS[name]
        best = [text for one in unit.opposite.values() for text in (short(one.rate), mean_reached(one))]
        same = percent(unit.path["same_sign"][1:].mean())
        rows.append([name, short(round(function.mean, 3)), short(function.spread), short(unit.common), *best, same])
    return Table(
        f"Distance of the unit's weights from their target after {STEPS} steps, geometric mean of "
        f"{centred_unit.SEEDS} seeds: with SGD at {COMMON_RATE:g}, and at each function's own best rate. Last column: "
        "steps that move both weights the same way (first seed, SGD, best rate).",
        [
            *("inputs", "mean", "spread", f"SGD at {COMMON_RATE:g}"),
            *(title for name in OPTIMIZERS for title in (f"best rate, {name}", f"distance, {name}")),
            "same way",
        ],
        rows,
    )


def rule(units: Units) -> Rule:
    """What one rate for all hides."""
    wide, narrow = units[TANH], units[NARROW]
    return Rule(
        "Before you compare two activations, find the best learning rate of each.",
        f"At {COMMON_RATE:g}, {TANH} ends {short(wide.common)} from the target and a narrower tanh "
        f"{short(narrow.common)}; each at its own best rate, {mean_reached(wide.opposite[SGD])} and "
        f"{mean_reached(narrow.opposite[SGD])}.",
    )


def nothing_shown(ratios: Sequence[Summary | None]) -> str:
    """What to say where no interval excludes 1."""
    none = all(one is not None and one.low <= 1 <= one.high for one in ratios)
    return ", no difference that these seeds could show" if none else ""


def mean_reached(reached: Tuned) -> str:
    """The geometric mean of what the measured seeds reach."""
    return short(float(geometric_mean(reached.reached)))
