"""Zero-centred or not."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from gradflow.figures.table import Table
from gradflow.lesson.experiments import centred_network
from gradflow.lesson.experiments.centred_network import BLOCKS, WIDTH, Trained
from gradflow.lesson.experiments.centred_unit import Unit
from gradflow.lesson.experiments.centring import (
    ADAM,
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
from gradflow.lesson.numbers import about, percent, short, times
from gradflow.lesson.section import Folded, Part, Rule, Section, Text
from gradflow.lesson.sections import centred_unit as unit
from gradflow.lesson.sections import centring_figures as figures
from gradflow.lesson.sections.centred_unit import mean_reached, nothing_shown
from gradflow.study.statistics import Summary

Networks = Mapping[tuple[str, str], Trained]


class Measured(NamedTuple):
    """What the experiments give: `zero_centred.sign_structure`, `centred_unit.units`, `centred_network.trainings`."""

    signs: Mapping[str, Signs]
    units: Mapping[str, Unit]
    networks: Networks
    effort: Effort


def section(measured: Measured | None) -> Section:
    """The section; with nothing measured, what can be derived."""
    return Section(
        name="zero-centred",
        title="Zero-centred or not",
        paragraphs=["Measured on real digits: two pairs of functions that differ by a constant, and by nothing else."]
        if measured
        else [_one_sign(), _steeper()],
        parts=_parts(measured) if measured else [],
        rules=[_centring_rule(measured.networks), unit.rule(measured.units)] if measured else [],
    )


def _parts(measured: Measured) -> list[Part | Table]:
    signs, units, networks, effort = measured
    return [
        figures.by_rate(networks, tuning=effort.tuning_seeds, epochs=effort.rate_epochs, found=_found(networks)),
        Folded(
            "Why? One sign for all weights of a unit",
            [Text([_one_sign()]), figures.signs(signs, _signs(signs)), figures.paths(units)],
        ),
        Folded(
            "Two weights, many seeds: is it the zigzag, the spread or the rate?",
            [Text([_steeper(), *unit.paragraphs(units)]), unit.table(units)],
        ),
        Folded(
            "The networks in numbers",
            [Text([_how(effort), _ratios_told(_network_ratios(networks))]), _network_table(networks, effort)],
        ),
    ]


def _one_sign() -> str:
    return (
        "A weight's gradient is the error at its unit times its input, and the error is the same for all weights of "
        "the unit. So if all inputs are positive, as those from sigmoids are, all weights grow or all shrink for any "
        "one sample."
    )


def _found(networks: Networks) -> str:
    ratio = _network_ratios(networks)
    (tanh, sigmoid), (tanh_adam, sigmoid_adam) = ratio[SGD], ratio[ADAM]
    softer = all(map(_is_half, ratio[ADAM], ratio[SGD]))
    return (
        f"With SGD, {TANH_UP} ends at {about(tanh)} the training loss of {TANH}; with Adam, at {about(tanh_adam)}. "
        f"{SIGMOID.capitalize()} ends at {about(sigmoid)} that of {SIGMOID_DOWN} with SGD, at {about(sigmoid_adam)} "
        f"with Adam{nothing_shown(ratio[ADAM])}."
        f"{' On a log scale, Adam makes up for more than half of the difference.' if softer else ''}"
    )


def _signs(signs: Mapping[str, Signs]) -> str:
    shared = {name: percent(float(one.shared.mean())) for name, one in signs.items()}
    sigmoid = signs["sigmoid"]
    mixed = sigmoid.of_the_mean < sigmoid.shared.mean()
    return (
        f"With sigmoid, {shared['sigmoid']} of a digit's gradients have one sign; with tanh {shared['tanh']} have the "
        f"more common one, and tossing coins gives {percent(chance_share(sigmoid.signs.shape[1]))}. In the mean over "
        f"the digits it is {percent(sigmoid.of_the_mean)} with "
        f"sigmoid{': a batch mixes the signs again' if mixed else ''}."
    )


def _steeper() -> str:
    """What a common mean does to the loss, derived."""
    steep, flat = unit.curvature(TANH_UP), unit.curvature(TANH)
    return (
        "The steep direction is the one in which all weights of a unit move alike. For two inputs and a standard "
        f"normal z, it is {short(steep / flat, 2)} times as steep with {TANH_UP} as with {TANH}: a curvature of "
        f"{short(steep)} against {short(flat)} (LeCun et al. 1998, Efficient BackProp)."
    )


def _how(effort: Effort) -> str:
    rates = {optimizer: len(centred_network.RATES[optimizer]) for optimizer in OPTIMIZERS}
    return (
        f"{BLOCKS} hidden layers of {WIDTH} units, {effort.rate_epochs} "
        f"{'epoch' if effort.rate_epochs == 1 else 'epochs'} on the digits. The best of {rates[SGD]} rates of SGD and "
        f"of {rates[ADAM]} of Adam is chosen with {effort.tuning_seeds} seeds, and measured with {effort.rate_seeds} "
        "others."
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
    return Rule(text, _ratios_told(ratio))


def _ratios_told(ratio: Mapping[str, list[Summary | None]]) -> str:
    told = "; ".join(
        f"with {name}, {TANH_UP} leaves {times(tanh)} the loss of {TANH}, {SIGMOID} {times(sigmoid)} that of "
        f"{SIGMOID_DOWN}"
        for name, (tanh, sigmoid) in ratio.items()
    )
    return f"At their own best rates (in brackets, 95\N{NO-BREAK SPACE}% t intervals, paired by seed): {told}."
