"""Section 6: which one to choose."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from gradflow import invocation
from gradflow.advise import rules as advice
from gradflow.figures.table import Table
from gradflow.lesson import marks
from gradflow.lesson.experiments import mistakes
from gradflow.lesson.experiments.fit import CLASSES
from gradflow.lesson.experiments.mistakes import CUT, HIGH_RATE, MISTAKES, SGD_RATE, TOO_MANY_DEAD, Curves
from gradflow.lesson.numbers import percent, short
from gradflow.lesson.section import Figure, Panel, Rule, Section
from gradflow.lesson.sections import deep as deep_network
from gradflow.runs.health import listed

OUTPUTS = Table(
    "What to put after the last layer, and the loss that goes with it (the first four: Bishop 2006, Pattern "
    "Recognition and Machine Learning, section 5.2).",
    ["what is predicted", "output activation", "loss", "in PyTorch", "why these two"],
    [
        [
            "one of several classes",
            "softmax",
            "cross-entropy",
            "linear outputs, nn.CrossEntropyLoss",
            "the gradient at the logits is probability minus target, so a confident mistake is corrected at full "
            "strength; the loss applies the softmax",
        ],
        [
            "yes or no",
            "sigmoid",
            "binary cross-entropy",
            "one linear output, nn.BCEWithLogitsLoss",
            "the same, for two classes",
        ],
        [
            "several labels at once (multi-label)",
            "one sigmoid per label",
            "binary cross-entropy per label",
            "one linear output per label, nn.BCEWithLogitsLoss",
            "labels do not exclude one another, so their probabilities need not add up to 1, as those of a softmax do",
        ],
        [
            "any number",
            "linear (none)",
            "mean squared error",
            "linear output, nn.MSELoss",
            "every number can be reached, and the gradient at the output grows with the error; a bounded function, or "
            "one like ReLU that is never negative, puts some numbers out of reach",
        ],
        [
            "a number between two bounds",
            "tanh",
            "mean squared error",
            "nn.Tanh, nn.MSELoss, targets scaled into (-1, 1)",
            "the output cannot leave the bounds; scale the targets to just inside them, as tanh reaches ±1 for no "
            "finite z",
        ],
    ],
)
ADVICE = Table(
    f"The rules by which {invocation.tool('advise', 'STUDY')} judges your own studies.",
    ["finding", "holds when", "what helps"],
    [[rule.name, rule.condition, listed(rule.remedies)] for rule in advice.RULES],
)


class _Story(NamedTuple):
    title: str
    why: str


def section(
    deep: pd.DataFrame,
    trained: Mapping[str, Mapping[str, Curves]],
    rules: Sequence[Rule],
    *,
    seeds: int,
    gradient_share: float,
) -> Section:
    """The section.

    Args:
        deep: `deep.trainings`.
        trained: `mistakes.trainings`.
        rules: of the previous sections.
        seeds: number of seeds behind each mean.
        gradient_share: `mistakes.gradient_share` of the first seed.
    """
    own = [*deep_network.rules(deep), _output_rule(trained)]
    return Section(
        name="choice",
        title="Which one to choose",
        paragraphs=[
            "What you predict decides the output activation, and the output activation decides the loss. For the "
            f"hidden layers of a deep network, look at how the network is built, too: {_how_much(deep)}. After the "
            "table come four common mistakes, each trained on the built-in digits with the mistake and without it; "
            "then the rules by which gradflow judges your own networks; and last, the rules of thumb from this page, "
            "with the numbers that support them.",
        ],
        parts=[
            OUTPUTS,
            deep_network.figure(deep),
            deep_network.table(deep),
            *(
                _figure(mistake, trained[mistake], story, seeds)
                for mistake, story in _stories(trained, gradient_share).items()
            ),
            ADVICE,
            _rules_table([*rules, *own]),
        ],
    )


def _rules_table(rules: Sequence[Rule]) -> Table:
    return Table(
        "Rules of thumb, and what this page measured.",
        ["rule", "measured"],
        [[rule.text, rule.measured] for rule in rules],
    )


def _how_much(deep: pd.DataFrame) -> str:
    by_building, by_activation = (f"{100 * spread:.0f}" for spread in deep_network.spreads(deep))
    return (
        f"in the first figure below, the way of building changes the accuracy by {by_building} points (mean over the "
        f"activations), the activation by {by_activation} (mean over the ways of building)"
    )


def _output_rule(trained: Mapping[str, Mapping[str, Curves]]) -> Rule:
    (bent, straight), (twice, once) = (
        [percent(trained[mistake][way.name].accuracy[-1], 1) for way in MISTAKES[mistake]]
        for mistake in ("output", "loss")
    )
    return Rule(
        "Choose an output activation that suits the target and a loss that suits the output; leave logits as they are.",
        f"Training with a ReLU on the logits ends at {bent} instead of {straight}, with a softmax before a loss that "
        f"already applies one at {twice} instead of {once}.",
    )


def _stories(trained: Mapping[str, Mapping[str, Curves]], gradient_share: float) -> dict[str, _Story]:
    final = {way: curves for ways in trained.values() for way, curves in ways.items()}

    def accuracy(way: str) -> str:
        return percent(final[way].accuracy[-1], 1)

    floor = short(mistakes.floor_of_softmax_twice(CLASSES))
    return {
        "output": _Story(
            "Mistake 2: ReLU at the output of a classifier",
            "A negative logit becomes 0 and gets no gradient; through a logit that is negative for every sample no "
            f"gradient comes back at all. Training ends at {accuracy('ReLU on the logits')}; without the ReLU, at "
            f"{accuracy('linear logits')}.",
        ),
        "monitor": _Story(
            "Mistake 3: not monitoring dead units",
            f"Adam at {HIGH_RATE:g}. Training ends at {accuracy('not monitored')}, and the accuracy alone does not say "
            f"why; the meter shows that {percent(final['not monitored'].dead[-1])} of the units are dead. The fix: if "
            f"more than {percent(TOO_MANY_DEAD)} die, start again with the rate divided by {CUT}. That ends at "
            f"{accuracy('monitored')}.",
        ),
        "loss": _Story(
            "Mistake 4: a loss that does not match the output activation",
            "F.cross_entropy takes logits and applies the softmax itself. If you apply one first, its logits are "
            f"numbers between 0 and 1: the loss cannot fall below {floor} nats, and before training the gradient at "
            f"the outputs is {short(gradient_share, 2)} of what it is without the mistake. Plain SGD at {SGD_RATE:g} "
            f"then ends at {accuracy('softmax, then cross_entropy')}; with logits, at "
            f"{accuracy('logits into cross_entropy')}.",
        ),
    }


def _figure(mistake: str, curves: Mapping[str, Curves], story: _Story, seeds: int) -> Figure:
    names = _ordered(mistake)
    frame = pd.concat(
        [
            pd.DataFrame({"way": way, "epoch": range(len(one.accuracy)), "accuracy": one.accuracy, "dead": one.dead})
            for way, one in curves.items()
        ],
        ignore_index=True,
    )
    titles = {"accuracy": "test accuracy"} | ({"dead": "dead units"} if mistake == "monitor" else {})
    panels = [
        Panel(
            title.capitalize(),
            marks.fractions_by_epoch(frame, field, title, by="way", names=names),
            height=220,
        )
        for field, title in titles.items()
    ]
    return Figure(
        name=f"mistake_{mistake}",
        title=story.title,
        reading=f"{story.why} Means of {seeds} seeds.",
        legend=marks.line_legend(names),
        panels=panels,
        picture=panels,
        columns=2,
    )


def _ordered(mistake: str) -> list[str]:
    """The right way first, so that it gets the solid line."""
    return [way.name for way in sorted(MISTAKES[mistake], key=lambda way: way.is_mistake)]
