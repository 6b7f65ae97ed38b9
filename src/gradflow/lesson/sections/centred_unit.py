"""What the unit shows that learns two weights from centred inputs and from others."""

from collections.abc import Mapping, Sequence

from gradflow.figures.table import Table
from gradflow.lesson.experiments import centred_unit
from gradflow.lesson.experiments.centred_unit import COMMON_RATE, START, STEPS, Unit
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
    """At one rate for all, at each function's own, what the rate has to do with it, Adam, and the zigzag."""
    return [_common_rate(units), _own_rate(units), _rate(units), _adam(units), _zigzag(units)]


def _common_rate(units: Units) -> str:
    """What one rate for all shows: above all, the spread."""
    common = {name: unit.common for name, unit in units.items()}
    narrow = [common[name] for name in (SIGMOID, SIGMOID_DOWN, NARROW)]
    is_spread = max(narrow) < ALIKE * min(narrow) and common[TANH] < min(narrow) / FAR
    found = (
        "That looks like the mean, and is the spread: a tanh as narrow as the sigmoid ends as far off as the sigmoid, "
        "centred or not."
        if is_spread
        else "The table shows how far off the others end."
    )
    return (
        f"A linear unit learns two weights, one sample a step, {STEPS} steps. At one learning rate for all, "
        f"{COMMON_RATE:g}, it ends {short(common[TANH], 2)} from the target with {TANH} and "
        f"{short(common[SIGMOID], 2)} with {SIGMOID}. {found}"
    )


def _own_rate(units: Units) -> str:
    """What is left of the difference when every function has the rate that suits it."""
    wide, narrow = (float(geometric_mean(units[name].opposite[SGD].reached)) for name in (TANH, NARROW))
    tanh, sigmoid = (times_as_much(units[b].opposite[SGD], units[a].opposite[SGD]) for a, b in PAIRS)
    no_spread = max(wide, narrow) < ALIKE * min(wide, narrow)
    return (
        f"With each at its own best rate, {'the spread no longer matters. But ' if no_spread else ''}{TANH_UP} ends "
        f"{times(tanh)} as far from the target as {TANH}, and {SIGMOID} {times(sigmoid)} as far as {SIGMOID_DOWN} (in "
        "brackets, 95\N{NO-BREAK SPACE}% t intervals, paired by seed)."
    )


def _rate(units: Units) -> str:
    """Whether a centred function gains anything but its rate."""
    best = {name: unit.opposite[SGD] for name, unit in units.items()}
    lower = centred_unit.RATES.index(best[TANH_UP].rate)
    shifted, centred = (float(best[name].by_rate[lower]) for name in (TANH_UP, TANH))
    no_better = centred > shifted / ALIKE
    return (
        f"What centring buys is {'' if no_better else 'in part '}a larger rate: the best is {short(best[TANH].rate)} "
        f"with {TANH} and {short(best[TANH_UP].rate)} with {TANH_UP}. At the smaller one, {TANH} ends "
        f"{short(centred, 2)} from the target and {TANH_UP} {short(shifted, 2)}, on the seeds that chose the rates."
    )


def _adam(units: Units) -> str:
    adam = [times_as_much(units[b].opposite[ADAM], units[a].opposite[ADAM]) for a, b in PAIRS]
    return (
        f"With Adam, {TANH_UP} ends {times(adam[0])} as far as {TANH}, and {SIGMOID} {times(adam[1])} as far as "
        f"{SIGMOID_DOWN}{nothing_shown(adam)}."
    )


def _zigzag(units: Units) -> str:
    """Whether the direction of the target matters."""
    alike = times_as_much(units[TANH_UP].alike, units[TANH].alike)
    still = alike is not None and alike.low > 1
    return (
        f"The zigzag is {'not needed for this' if still else 'needed for this'}: where both weights have to grow, "
        f"{TANH_UP} ends {times(alike)} as far as {TANH}, each at its best rate."
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
