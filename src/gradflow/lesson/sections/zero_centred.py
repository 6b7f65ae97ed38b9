"""Section 5: zero-centred or not."""

import math
from collections.abc import Mapping

from gradflow.figures.table import Table
from gradflow.lesson.experiments import centred_network, centred_unit, centring
from gradflow.lesson.experiments.centred_network import BLOCKS, WIDTH, Trained
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
    geometric_mean,
    times_as_much,
)
from gradflow.lesson.experiments.effort import Effort
from gradflow.lesson.experiments.zero_centred import Signs, chance_share
from gradflow.lesson.numbers import percent, short
from gradflow.lesson.section import Rule, Section
from gradflow.lesson.sections import centring_figures as figures
from gradflow.study.statistics import Summary

Networks = Mapping[tuple[str, str], Trained]
ALIKE, FAR = 2.0, 100.0  # distances within a factor of 2 count as alike; a hundredth is much nearer


def section(signs: Mapping[str, Signs], units: Mapping[str, Unit], networks: Networks, effort: Effort) -> Section:
    """The section, from `zero_centred.sign_structure`, `centred_unit.units` and `centred_network.trainings`."""
    return Section(
        name="zero-centred",
        title="Zero-centred or not",
        paragraphs=[
            "The gradient of a weight is the error at its unit times the input that comes in through the weight. A "
            "sigmoid's outputs are all positive. So if a unit's inputs come from sigmoids, the gradients of all its "
            "weights have the same sign for any one sample: all weights grow or all shrink.",
            _signs(signs),
            "Does that slow learning down? A sigmoid differs from tanh in two ways: its outputs are not centred on 0, "
            f"and they spread less (standard deviation {short(FUNCTIONS[SIGMOID].spread)} instead of "
            f"{short(FUNCTIONS[TANH].spread)}, if z is standard normal). To tell the two apart, compare functions that "
            f"differ by a constant alone: {TANH} with {TANH_UP}, and {SIGMOID_DOWN} with {SIGMOID}. First, a linear "
            f"unit learns two weights from such inputs, one sample a step, for {STEPS} steps.",
            _common_rate(units),
            _own_rate(units),
            _reason(units),
            _in_networks(networks, effort),
        ],
        parts=[
            figures.signs(signs),
            figures.paths(units),
            _unit_table(units),
            figures.by_rate(networks, tuning=effort.tuning_seeds, epochs=effort.rate_epochs),
            _network_table(networks, effort),
        ],
        rules=[_centring_rule(networks), _rate_rule(units)],
    )


def _signs(signs: Mapping[str, Signs]) -> str:
    shared = {name: percent(float(one.shared.mean())) for name, one in signs.items()}
    sigmoid = signs["sigmoid"]
    samples, weights = sigmoid.signs.shape
    mixed = sigmoid.of_the_mean < sigmoid.shared.mean()
    return (
        f"Measured on one unit with {weights} weights and {samples} digits: with sigmoid {shared['sigmoid']} of a "
        f"sample's gradients have the more common sign, with tanh {shared['tanh']}; tossing a coin for each sign "
        f"gives {percent(chance_share(weights))}. In the mean gradient of these digits, "
        f"{percent(sigmoid.of_the_mean)} have the more common sign with sigmoid"
        f"{': a batch mixes the signs again' if mixed else ''}."
    )


def _common_rate(units: Mapping[str, Unit]) -> str:
    """What one rate for all shows: above all, the spread."""
    common = {name: unit.common for name, unit in units.items()}
    narrow = [common[name] for name in (SIGMOID, SIGMOID_DOWN, NARROW)]
    is_spread = max(narrow) < ALIKE * min(narrow) and common[TANH] < min(narrow) / FAR
    away = common[TANH_UP] > math.dist(START, OPPOSITE)
    return (
        f"At one learning rate for all, {COMMON_RATE:g}, {TANH} ends {short(common[TANH])} from the target, {SIGMOID} "
        f"{short(common[SIGMOID])}, {SIGMOID_DOWN} {short(common[SIGMOID_DOWN])}, and tanh made as narrow as the "
        f"sigmoid {short(common[NARROW])} (geometric means of {centred_unit.SEEDS} seeds)"
        f"{': the spread decides, not the centre' if is_spread else ''}. {TANH_UP}, which has the largest outputs, "
        f"ends {short(common[TANH_UP])} away{', further than it started' if away else ''}."
    )


def _own_rate(units: Mapping[str, Unit]) -> str:
    """What is left of the difference when every function has the rate that suits it."""
    wide, narrow = (float(geometric_mean(units[name].opposite[SGD].reached)) for name in (TANH, NARROW))
    tanh, sigmoid = (times_as_much(units[b].opposite[SGD], units[a].opposite[SGD]) for a, b in PAIRS)
    no_spread = max(wide, narrow) < ALIKE * min(wide, narrow)
    return (
        f"Now each at its own best rate, chosen with {centred_unit.TUNING} other seeds from {len(centred_unit.RATES)} "
        f"rates between {short(centred_unit.RATES[0])} and {short(centred_unit.RATES[-1])}. Narrow and wide tanh end "
        f"{short(narrow)} and {short(wide)} from the target{': the spread no longer matters' if no_spread else ''}. "
        f"But {TANH_UP} ends {_times(tanh)} as far from it as {TANH}, and {SIGMOID} {_times(sigmoid)} as far as "
        f"{SIGMOID_DOWN} (in brackets, 95\N{NO-BREAK SPACE}% t intervals, paired by seed)."
    )


def _reason(units: Mapping[str, Unit]) -> str:
    """Why, and when not."""
    alike = times_as_much(units[TANH_UP].alike, units[TANH].alike)
    adam = [times_as_much(units[b].opposite[ADAM], units[a].opposite[ADAM]) for a, b in PAIRS]
    rates = {name: short(unit.opposite[SGD].rate) for name, unit in units.items()}
    steep, flat = (short(curvature(name)) for name in (TANH_UP, TANH))
    return (
        "The reason is the learning rate. A mean that all inputs share makes the loss steeper in the direction in "
        f"which both weights move alike (curvature {steep} with {TANH_UP}, {flat} with {TANH}), and the rate has to "
        f"suit the steepest direction (LeCun et al. 1998, Efficient BackProp): the best is {rates[TANH_UP]} instead of "
        f"{rates[TANH]}, and {rates[SIGMOID]} instead of {rates[SIGMOID_DOWN]}. Steps that move both weights the same "
        "way can only zigzag to a target for which one has to grow and the other to shrink; but where both have to "
        f"grow, {TANH_UP} ends {_times(alike)} as far as {TANH}. With Adam, the factors are {_times(adam[0])} "
        f"and {_times(adam[1])}{_nothing_shown(adam)}."
    )


def curvature(name: str) -> float:
    """The largest eigenvalue of the expected product of two inputs: variance, plus twice the squared mean."""
    function = FUNCTIONS[name]
    return function.spread**2 + len(START) * function.mean**2


def _in_networks(networks: Networks, effort: Effort) -> str:
    ratio = _network_ratios(networks)
    rates = {optimizer: len(centred_network.RATES[optimizer]) for optimizer in OPTIMIZERS}
    softer = all(map(_is_half, ratio[ADAM], ratio[SGD]))
    return (
        f"Then networks with {BLOCKS} hidden layers of {WIDTH} units, {effort.rate_epochs} "
        f"{'epoch' if effort.rate_epochs == 1 else 'epochs'} on the digits. Biases can take a constant back, so both "
        "networks of a pair start as the same function of the pixels; they differ only in how they learn. Each has its "
        f"own best rate, chosen with {effort.tuning_seeds} other seeds (from {rates[SGD]} rates of SGD, {rates[ADAM]} "
        f"of Adam). With SGD, {TANH_UP} ends at {_times(ratio[SGD][0])} the training loss of {TANH}, and {SIGMOID} at "
        f"{_times(ratio[SGD][1])} that of {SIGMOID_DOWN}; with Adam it is {_times(ratio[ADAM][0])} and "
        f"{_times(ratio[ADAM][1])}{_nothing_shown(ratio[ADAM])}"
        f"{': Adam makes up for more than half of it, on a log scale' if softer else ''}."
    )


def _network_ratios(networks: Networks) -> dict[str, list[Summary | None]]:
    return {
        optimizer: [times_as_much(networks[b, optimizer].loss, networks[a, optimizer].loss) for a, b in PAIRS]
        for optimizer in OPTIMIZERS
    }


def _is_half(adam: Summary | None, sgd: Summary | None) -> bool:
    """Whether Adam halves what SGD shows, on a log scale, or better."""
    return adam is not None and sgd is not None and sgd.low > 1 and math.log(adam.mean) < math.log(sgd.mean) / 2


def _times(ratio: Summary | None) -> str:
    """`3.8 times (2.7 to 5.4)`: with the 95 % interval."""
    if ratio is None:
        return "∞ times (a seed diverged)"
    return f"{short(ratio.mean, 2)} times ({short(ratio.low, 2)} to {short(ratio.high, 2)})"


def _nothing_shown(ratios: list[Summary | None]) -> str:
    """What to say where no interval excludes 1."""
    none = all(one is not None and one.low <= 1 <= one.high for one in ratios)
    return ", no difference that these seeds could show" if none else ""


def _unit_table(units: Mapping[str, Unit]) -> Table:
    rows = []
    for name, unit in units.items():
        function = FUNCTIONS[name]
        best = [text for one in unit.opposite.values() for text in (short(one.rate), _mean(one))]
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


def _network_table(networks: Networks, effort: Effort) -> Table:
    rows = []
    for name in centred_network.NAMES:
        row = [name]
        for optimizer in OPTIMIZERS:
            trained = networks[name, optimizer]
            row += [short(trained.loss.rate), _mean(trained.loss), percent(float(trained.accuracy.mean()), 1)]
        rows.append(row)
    titles = ("best rate", "training loss", "test accuracy")
    return Table(
        f"The networks at their own best rates: training loss (geometric mean, nats) and test accuracy (mean) of "
        f"{effort.rate_seeds} seeds.",
        ["activation", *(f"{title}, {optimizer}" for optimizer in OPTIMIZERS for title in titles)],
        rows,
    )


def _mean(reached: centring.Tuned) -> str:
    return short(float(geometric_mean(reached.reached)))


def _centring_rule(networks: Networks) -> Rule:
    ratio = _network_ratios(networks)
    helps = [name for name, ratios in ratio.items() if all(one is not None and one.low > 1 for one in ratios)]
    if helps:
        text = f"Centre an activation's outputs on zero: the loss falls further with {' and with '.join(helps)}."
    else:
        text = "Do not expect much of centring an activation's outputs on zero."
    told = "; ".join(
        f"with {name}, {TANH_UP} leaves {_times(tanh)} the loss of {TANH}, {SIGMOID} {_times(sigmoid)} that of "
        f"{SIGMOID_DOWN}"
        for name, (tanh, sigmoid) in ratio.items()
    )
    return Rule(text, f"At their own best rates (in brackets, 95\N{NO-BREAK SPACE}% intervals): {told}.")


def _rate_rule(units: Mapping[str, Unit]) -> Rule:
    wide, narrow = units[TANH], units[NARROW]
    return Rule(
        "Before you compare two activations, find the best learning rate of each.",
        f"At {COMMON_RATE:g}, {TANH} ends {short(wide.common)} from the target and a narrower tanh "
        f"{short(narrow.common)}; each at its own best rate, {_mean(wide.opposite[SGD])} and "
        f"{_mean(narrow.opposite[SGD])}.",
    )
