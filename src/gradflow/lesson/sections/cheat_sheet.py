"""Section 10: the cheat sheet, one printed page; its words on each function are in `cheat_sheet.yaml`."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

import yaml
from torch import nn

from gradflow import activations
from gradflow.advise import gradients
from gradflow.lesson import derived
from gradflow.lesson.experiments.families import by_name, families
from gradflow.lesson.experiments.fit import CLASSES
from gradflow.lesson.experiments.mistakes import floor_of_softmax_twice
from gradflow.lesson.numbers import percent, power, short
from gradflow.lesson.section import Section
from gradflow.lesson.sections.curve import HEIGHT, WIDTH, ZERO, Curve, curve
from gradflow.lesson.sections.outputs import OUTPUTS
from gradflow.runs import health, tags
from gradflow.runs.words import ACTIVATIONS, capital
from gradflow.study.comparison.evidence import ALPHA, seeds_needed

DEEP = 10  # layers, of the numbers to remember
LEAK = by_name(families())["leaky_relu"].arguments["negative_slope"]
TIMES, DASH = "\N{MULTIPLICATION SIGN}", "\N{EN DASH}"
CODE = (  # the first before the training loop, the second after each epoch
    "watch = gradflow.watch(network, optimizer)",
    "with watch.validation(): network(x_validation)",
)

INITIAL_WEIGHTS = (
    "Standard deviation of a weight: He gain / √inputs, Xavier gain · √(2 / (inputs + outputs)), LeCun 1 / √inputs, "
    "PyTorch's default 1 / √(3 · inputs). With skips: the default."
)


class Use(NamedTuple):
    """When to use a function, when not to, and the initial weights that go with it."""

    formula: str
    when: str
    not_when: str
    weights: str


class Row(NamedTuple):
    """One function on the sheet."""

    name: str
    title: str
    use: Use
    curve: Curve
    range: str
    largest_slope: str
    weights: str


class Symptom(NamedTuple):
    """What is wrong, how to see it, what helps; the first remedy to try is the first."""

    name: str
    seen: str
    remedies: str


class Remember(NamedTuple):
    """A number, with its id on the page after `number-`, and what it says."""

    name: str
    number: str
    says: str


@dataclass(frozen=True)
class CheatSheet:
    """A part of the lesson: one page when it is printed."""

    template: ClassVar[str] = "cheat_sheet.html"
    size: ClassVar[tuple[int, int]] = (WIDTH, HEIGHT)  # of the curves
    zero: ClassVar[tuple[int, int]] = ZERO
    initial_weights: ClassVar[str] = INITIAL_WEIGHTS
    rows: Sequence[Row]
    outputs: Sequence[tuple[str, str, str]]
    symptoms: Sequence[Symptom]
    numbers: Sequence[Remember]
    code: Sequence[str]
    healthy: Sequence[str]


def section() -> Section:
    """The section; nothing in it is measured by training."""
    return Section(
        name="cheat-sheet",
        title="Cheat sheet",
        paragraphs=["One page to print, on A4 or US Letter paper."],
        parts=[cheat_sheet()],
    )


def cheat_sheet() -> CheatSheet:
    return CheatSheet(
        rows=[_row(name, use) for name, use in _uses().items()],
        outputs=[(capital(one.target), one.output, one.loss) for one in OUTPUTS],
        symptoms=_symptoms(),
        numbers=_numbers(),
        code=CODE,
        healthy=[
            f"{tags.GAIN_PER_LAYER}: near 1 the gradient arrives, under {short(gradients.FADING)} it fades",
            f"{tags.DEAD_UNITS}: under {percent(health.DEAD_FRACTION)} of a layer",
            f"{tags.GRAD_NORM_TOTAL}: finite, under {short(health.EXPLODING_NORM)}",
        ],
    )


def _uses() -> dict[str, Use]:
    text = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    leak = f"{LEAK:g}"
    return {name: Use(**{key: words.format(leak=leak) for key, words in use.items()}) for name, use in text.items()}


def _row(name: str, use: Use) -> Row:
    module = _module(name)
    with_gain = f"{use.weights} {TIMES} {short(activations.gain(module))}"
    return Row(
        name,
        ACTIVATIONS[name],
        use,
        curve(name, module),
        range_of(name),
        short(derived.largest_slope(name)),
        with_gain if use.weights in ("He", "Xavier") else use.weights or DASH,
    )


def range_of(name: str) -> str:
    """Of the outputs of one of the package's activations: `0 to 1`, `from 0`, `any`."""
    facts = activations.facts(_module(name))
    if math.isinf(facts.lower) and math.isinf(facts.upper):
        return "any"
    if math.isinf(facts.upper):
        return f"from {short(facts.lower)}"
    return f"{short(facts.lower)} to {short(facts.upper)}"


def _module(name: str) -> nn.Module:
    return by_name(families())[name].make()


def _symptoms() -> list[Symptom]:
    return [
        Symptom(
            "Vanishing",
            f"a layer's gradient (RMS) is under 1/{1 / health.VANISHING_RATIO:.0f} of the largest layer's",
            ", ".join(health.VANISHING_IN_GENERAL),
        ),
        Symptom(
            "Dead units",
            f"more than {percent(health.DEAD_FRACTION)} of a layer have slope 0 for every sample",
            ", ".join(health.DEAD_IN_GENERAL),
        ),
        Symptom(
            "Exploding",
            f"gradient norm above {short(health.EXPLODING_NORM)}, or the loss is not finite",
            ", ".join(health.EXPLODING_IN_GENERAL),
        ),
    ]


def _numbers() -> list[Remember]:
    sigmoid = derived.largest_slope("sigmoid")
    seeds = seeds_needed(1)
    return [
        Remember(
            "telephone",
            short(derived.most_left("sigmoid", DEEP)),
            f"the most that {DEEP} sigmoid slopes leave of a gradient, {power(short(sigmoid), DEEP)}: a kilometre "
            f"shrunk to {1e6 * derived.most_left('sigmoid', DEEP):.0f} mm",
        ),
        Remember(
            "small-weights",
            short(derived.left_by_torch_relu(1), 2),
            "of the signal's size is left by each ReLU layer with PyTorch's default weights; "
            f"{short(derived.left_by_torch_relu(DEEP), 2)} by {DEEP} of them. He initialisation leaves all of it",
        ),
        Remember(
            "untrained",
            short(derived.untrained_loss(2)),
            f"ln 2, the loss of a network that knows nothing of two classes; {short(derived.untrained_loss(CLASSES))} "
            f"with {CLASSES} classes",
        ),
        Remember(
            "softmax-twice",
            short(floor_of_softmax_twice(CLASSES)),
            f"the lowest loss for {CLASSES} classes if a softmax stands before CrossEntropyLoss, which has its own",
        ),
        Remember(
            "seeds",
            str(seeds),
            f"seeds are the fewest that can show a difference at {percent(ALPHA)} by flipping signs: p is at least "
            f"{short(derived.smallest_sign_flip_p(seeds))} with {seeds}, "
            f"{short(derived.smallest_sign_flip_p(seeds - 1))} with {seeds - 1}",
        ),
    ]
