"""Section 9: fifteen questions, each answered by a number of the page; their text is in `quiz.yaml`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import yaml
from markupsafe import Markup

from gradflow.lesson import derived
from gradflow.lesson.experiments.fit import CLASSES
from gradflow.lesson.experiments.mistakes import floor_of_softmax_twice
from gradflow.lesson.numbers import percent, short
from gradflow.lesson.openings import quoting
from gradflow.lesson.section import Live, Section
from gradflow.lesson.sections.cheat_sheet import DEEP, LEAK, range_of
from gradflow.lesson.sections.hidden_layers import LEVELS, RELU6_LARGEST
from gradflow.lesson.sections.outputs import CONFIDENT, slope_at
from gradflow.study.comparison.evidence import ALPHA, seeds_needed


@dataclass(frozen=True)
class Item:
    """One question of the quiz.

    Attributes:
        name: its id on the page, after `quiz-`.
        ask: the question.
        options: to choose from; the wrong ones are what people often believe.
        answer: the index of the right one.
        why: shown after the choice, with the number that settles it.
        place: id of where that number stands on the page.
        number: as it is written there; empty where a live network shows it.
        live: that network's preset, which the reader plays.
        run: said once it has been played.
    """

    name: str
    ask: str
    options: Sequence[str]
    answer: int
    why: str
    place: str
    number: str = ""
    live: str = ""
    run: str | Markup = ""


@dataclass(frozen=True)
class Quiz:
    """A part of the lesson: questions with answers, and a score."""

    template: ClassVar[str] = "quiz.html"
    items: Sequence[Item]


def section() -> Section:
    """The section; nothing in it is measured by training."""
    return Section(
        name="quiz",
        title="Quiz",
        paragraphs=["Fifteen questions, from easy to hard. The first answer counts."],
        parts=[Quiz(items())],
    )


def items() -> list[Item]:
    """From easy to hard."""
    text = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    numbers = _numbers()
    return [_item(name, entry, numbers) for name, entry in text.items()]


def _item(name: str, entry: Mapping[str, Any], numbers: Mapping[str, str]) -> Item:
    preset = entry.get("play", "")
    return Item(
        name=name,
        ask=entry["ask"].format_map(numbers),
        options=[option.format_map(numbers) for option in entry["options"]],
        answer=entry["answer"],
        why=entry["why"].format_map(numbers),
        place=Live(preset).place if preset else entry["place"],
        number="" if preset else numbers[entry["number"]],
        live=preset,
        run=quoting(entry["run"], preset) if preset else "",
    )


def _numbers() -> dict[str, str]:
    """The words in braces of quiz.yaml."""
    enough = seeds_needed(1)
    too_few = enough - 1
    return {
        "quarter": short(derived.largest_slope("sigmoid")),
        "leak": short(LEAK),
        "untrained": short(derived.untrained_loss(2)),
        "untrained_ten": short(derived.untrained_loss(CLASSES)),
        "relu_range": range_of("relu"),
        "tanh_range": range_of("tanh"),
        "left": short(derived.most_left("sigmoid", DEEP)),
        "floor": short(floor_of_softmax_twice(CLASSES)),
        "small_each": short(derived.left_by_torch_relu(1), 2),
        "small": short(derived.left_by_torch_relu(DEEP), 2),
        "confident": short(CONFIDENT),
        "confident_slope": short(slope_at(CONFIDENT)),
        "larger": f"{1 / slope_at(CONFIDENT):.0f}",
        "apart": short(RELU6_LARGEST / LEVELS, 2),
        "alpha": percent(ALPHA),
        "too_few": str(too_few),
        "enough": str(enough),
        "flips": str(2**too_few),
        "p_too_few": short(derived.smallest_sign_flip_p(too_few)),
        "p_enough": short(derived.smallest_sign_flip_p(enough)),
    }
