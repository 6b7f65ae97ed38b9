"""Section 5: zero-centred or not."""

import math
from collections.abc import Mapping

from gradflow.figures.table import Table
from gradflow.lesson.experiments import centred_network
from gradflow.lesson.experiments.centred_network import BLOCKS, WIDTH, Trained
from gradflow.lesson.experiments.centred_unit import STEPS, Unit
from gradflow.lesson.experiments.centring import (
    ADAM,
    FUNCTIONS,
    OPTIMIZERS,
    PAIRS,
    SGD,
    SIGMOID,
    SIGMOID_DOWN,
    TANH,
    TANH_UP,
    times_as_much,
)
from gradflow.lesson.experiments.effort import Effort
from gradflow.lesson.experiments.zero_centred import Signs, chance_share
from gradflow.lesson.numbers import percent, short, times
from gradflow.lesson.section import Rule, Section
from gradflow.lesson.sections import centred_unit as unit
from gradflow.lesson.sections import centring_figures as figures
from gradflow.lesson.sections.centred_unit import mean_reached, nothing_shown
from gradflow.study.statistics import Summary

Networks = Mapping[tuple[str, str], Trained]


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
            *unit.paragraphs(units),
            _in_networks(networks, effort),
        ],
        parts=[
            figures.signs(signs),
            figures.paths(units),
            unit.table(units),
            figures.by_rate(networks, tuning=effort.tuning_seeds, epochs=effort.rate_epochs),
            _network_table(networks, effort),
        ],
        rules=[_centring_rule(networks), unit.rule(units)],
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


def _in_networks(networks: Networks, effort: Effort) -> str:
    ratio = _network_ratios(networks)
    rates = {optimizer: len(centred_network.RATES[optimizer]) for optimizer in OPTIMIZERS}
    softer = all(map(_is_half, ratio[ADAM], ratio[SGD]))
    return (
        f"Then networks with {BLOCKS} hidden layers of {WIDTH} units, {effort.rate_epochs} "
        f"{'epoch' if effort.rate_epochs == 1 else 'epochs'} on the digits. Biases can take a constant back, so both "
        "networks of a pair start as the same function of the pixels; they differ only in how they learn. Each has its "
        f"own best rate, chosen with {effort.tuning_seeds} other seeds (from {rates[SGD]} rates of SGD, {rates[ADAM]} "
        f"of Adam). With SGD, {TANH_UP} ends at {times(ratio[SGD][0])} the training loss of {TANH}, and {SIGMOID} at "
        f"{times(ratio[SGD][1])} that of {SIGMOID_DOWN}; with Adam it is {times(ratio[ADAM][0])} and "
        f"{times(ratio[ADAM][1])}{nothing_shown(ratio[ADAM])}"
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


def _network_table(networks: Networks, effort: Effort) -> Table:
    rows = []
    for name in centred_network.NAMES:
        row = [name]
        for optimizer in OPTIMIZERS:
            trained = networks[name, optimizer]
            row += [short(trained.loss.rate), mean_reached(trained.loss), percent(float(trained.accuracy.mean()), 1)]
        rows.append(row)
    titles = ("best rate", "training loss", "test accuracy")
    return Table(
        f"The networks at their own best rates: training loss (geometric mean, nats) and test accuracy (mean) of "
        f"{effort.rate_seeds} seeds.",
        ["activation", *(f"{title}, {optimizer}" for optimizer in OPTIMIZERS for title in titles)],
        rows,
    )


def _centring_rule(networks: Networks) -> Rule:
    ratio = _network_ratios(networks)
    helps = [name for name, ratios in ratio.items() if all(one is not None and one.low > 1 for one in ratios)]
    if helps:
        text = f"Centre an activation's outputs on zero: the loss falls further with {' and with '.join(helps)}."
    else:
        text = "Do not expect much of centring an activation's outputs on zero."
    told = "; ".join(
        f"with {name}, {TANH_UP} leaves {times(tanh)} the loss of {TANH}, {SIGMOID} {times(sigmoid)} that of "
        f"{SIGMOID_DOWN}"
        for name, (tanh, sigmoid) in ratio.items()
    )
    return Rule(text, f"At their own best rates (in brackets, 95\N{NO-BREAK SPACE}% intervals): {told}.")
