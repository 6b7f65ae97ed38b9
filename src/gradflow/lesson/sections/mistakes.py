"""Common mistakes, each failing and mended side by side."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from gradflow.lesson import marks
from gradflow.lesson.experiments import deep, mistakes
from gradflow.lesson.experiments.dead_units import (
    BLOCKS,
    CUT,
    FAILS,
    HIGH_RATE,
    LOWER,
    RATE_CAUSE,
    TOO_MANY_DEAD,
    Training,
)
from gradflow.lesson.experiments.fit import CLASSES
from gradflow.lesson.experiments.mistakes import ADAM_RATE, LOSS, OUTPUT, SGD_RATE, Pair
from gradflow.lesson.experiments.telephone import BATCHNORM, PLAIN, RIGHT
from gradflow.lesson.numbers import percent, short
from gradflow.lesson.section import Figure, Mended, Panel, Part, Rule, Section, Way
from gradflow.lesson.sections.mistakes_code import CODE

ACCURACY, DEAD = "test accuracy", "dead units"
WIDE = 0.1  # of accuracy: a range between seeds that has to be told


class Measured(NamedTuple):
    """What the mistakes are measured by.

    Attributes:
        deep: `deep.trainings`.
        dead: `dead_units.trainings`.
        shallow: `mistakes.trainings`.
        gradient_share: `mistakes.gradient_share` of the first seed.
        seeds: number of seeds behind each mean.
    """

    deep: pd.DataFrame
    dead: Mapping[str, Mapping[str, Training]]
    shallow: Mapping[str, Pair]
    gradient_share: float
    seeds: int


class _Story(NamedTuple):
    """A mistake in words, and how its two ways are called."""

    title: str
    why: str
    failing: str
    mended: str


STORIES = {
    "weights": _Story(
        "Initial weights of the wrong size",
        "PyTorch's default weights are too small for ReLU: the message fades from layer to layer. He initialisation "
        "keeps its size.",
        "PyTorch's default",
        "He initialisation",
    ),
    "deep_sigmoid": _Story(
        "Sigmoid in a deep network, without normalisation",
        "Every layer shrinks the gradient, so the first layers hear nothing. BatchNorm keeps each sigmoid's inputs "
        "where it is steep.",
        "sigmoid alone",
        "with BatchNorm",
    ),
    OUTPUT: _Story(
        "ReLU on the logits",
        "A negative logit becomes 0 and gets no gradient. A class whose logit is negative for every sample is not "
        "taught any more.",
        "ReLU after the last layer",
        "nothing after it",
    ),
    LOSS: _Story(
        "Softmax twice",
        "F.cross_entropy takes logits and applies the softmax itself. After one softmax too many its logits lie "
        f"between 0 and 1, so its loss cannot fall below {short(mistakes.floor_of_softmax_twice(CLASSES))} nats.",
        "softmax, then cross_entropy",
        "logits into cross_entropy",
    ),
    "rate": _Story(
        "A rate too high, and nobody counts dead units",
        "The accuracy alone does not say why training goes badly. Count the units that are off for every sample; if "
        f"more than {percent(TOO_MANY_DEAD)} are, start again with a tenth of the rate.",
        f"Adam at {HIGH_RATE:g}",
        f"counted, and restarted at {HIGH_RATE / CUT:g}",
    ),
}


SETUPS = {
    "deep_sigmoid": f"{deep.BLOCKS} hidden layers of {deep.WIDTH} units on the digits, Adam at {deep.RATE:g}.",
    "weights": f"{deep.BLOCKS} hidden layers of {deep.WIDTH} units on the digits, Adam at {deep.RATE:g}.",
    OUTPUT: f"{mistakes.BLOCKS} hidden layers on the digits, Adam at {ADAM_RATE:g}.",
    LOSS: f"{mistakes.BLOCKS} hidden layers on the digits, plain SGD at {SGD_RATE:g}.",
    "rate": f"{BLOCKS} hidden layers on the digits; the same trainings as in the section on dead units.",
}


def section(measured: Measured | None) -> Section:
    """The section; with nothing measured, the mistakes in words and code."""
    curves = _curves(measured) if measured else {}
    told = _told(measured, curves) if measured else {}
    parts: list[Part] = []
    for number, (name, story) in enumerate(STORIES.items(), start=1):
        why = f"{story.why} {told[name]}" if measured else story.why
        figure = _figure(name, curves[name], found=why, seeds=measured.seeds) if measured else None
        ways = Way(story.failing, CODE[name].failing), Way(story.mended, CODE[name].mended)
        parts.append(Mended(f"mistake_{name}", f"{number}. {story.title}", why, ways, figure))
    return Section(
        name="mistakes",
        title="Common mistakes",
        paragraphs=[
            f"The same mistake {'on real digits' if measured else 'in code'}, and four more. Each pair differs in the "
            "lines that you see."
        ],
        parts=parts,
        rules=[_rule(curves)] if measured else [],
    )


class Curves(NamedTuple):
    """By epoch, quantity -> values of shape (epochs + 1,), with the mistake and without it."""

    failing: Mapping[str, np.ndarray]
    mended: Mapping[str, np.ndarray]


def _curves(measured: Measured) -> dict[str, Curves]:
    means = measured.deep.groupby(["activation", "setting", "epoch"])["accuracy"].mean()
    rate = measured.dead[RATE_CAUSE]

    def deeply(activation: str, setting: str) -> dict[str, np.ndarray]:
        return {ACCURACY: means[activation, setting].to_numpy()}

    def counted(training: Training) -> dict[str, np.ndarray]:
        return {ACCURACY: training.accuracy, DEAD: training.dead}

    return {
        "deep_sigmoid": Curves(deeply("sigmoid", PLAIN), deeply("sigmoid", BATCHNORM)),
        "weights": Curves(deeply("relu", PLAIN), deeply("relu", RIGHT)),
        "rate": Curves(counted(rate[FAILS]), counted(rate[LOWER])),
        **{
            name: Curves({ACCURACY: pair.failing.mean(axis=0)}, {ACCURACY: pair.mended.mean(axis=0)})
            for name, pair in measured.shallow.items()
        },
    }


def _told(measured: Measured, curves: Mapping[str, Curves]) -> dict[str, str]:
    """What each mistake costs, in a sentence."""
    ends = {
        name: f"Test accuracy ends at {percent(_last(pair.failing))}; mended, at {percent(_last(pair.mended))}."
        for name, pair in curves.items()
    }
    failing, mended = curves["rate"]
    bent = measured.shallow[OUTPUT].failing[:, -1]
    by_chance = (
        f" It is a matter of chance: of the {measured.seeds} seeds, the worst ends at {percent(bent.min())}, the best "
        f"at {percent(bent.max())}."
        if bent.max() - bent.min() > WIDE
        else ""
    )
    return ends | {
        OUTPUT: f"{ends[OUTPUT]}{by_chance}",
        LOSS: f"Before training the gradient at the outputs is {short(measured.gradient_share, 2)} of what it should "
        f"be. {ends[LOSS]}",
        "rate": f"Here {percent(failing[DEAD][-1])} end up dead; mended, {percent(mended[DEAD][-1])}. {ends['rate']}",
    }


def _last(curves: Mapping[str, np.ndarray]) -> float:
    return float(curves[ACCURACY][-1])


def _figure(name: str, curves: Curves, *, found: str, seeds: int) -> Figure:
    story, names = STORIES[name], list(curves.mended)
    titles = f"fails: {story.failing}", f"works: {story.mended}"
    panels = [
        Panel(
            title,
            marks.fractions_by_epoch(
                _frame(one), "fraction", " or ".join(names), by="quantity", names=names, is_labelled=True
            ),
            height=200,
        )
        for title, one in zip(titles, curves, strict=True)
    ]
    return Figure(
        name=f"mistake_{name}",
        title=story.title,
        found=found,
        reading=f"{SETUPS[name]} Means of {seeds} seeds.",
        legend=marks.line_legend(names) if len(names) > 1 else [],
        panels=panels,
        picture=panels,
        columns=2,
    )


def _frame(curves: Mapping[str, np.ndarray]) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"quantity": quantity, "epoch": range(len(values)), "fraction": values})
        for quantity, values in curves.items()
    ]
    return pd.concat(parts, ignore_index=True)


def _rule(curves: Mapping[str, Curves]) -> Rule:
    (bent, straight), (twice, once) = ([percent(_last(one)) for one in curves[name]] for name in (OUTPUT, LOSS))
    return Rule(
        "Choose an output activation that suits the target and a loss that suits the output; leave logits as they are.",
        f"Training with a ReLU on the logits ends at {bent} instead of {straight}, with a softmax before a loss that "
        f"already applies one at {twice} instead of {once}.",
    )
