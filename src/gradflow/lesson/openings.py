"""How each section opens: its title, a line, and a question to answer before the reveal, from `openings.yaml`."""

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from markupsafe import Markup

from gradflow.figures.table import Table
from gradflow.lesson.section import Live, Part, Question, Section, Text

_FILE = Path(__file__).parent / "openings.yaml"
_QUANTITY = re.compile(r"\{(.*?)\}")


@dataclass(frozen=True)
class Opening:
    """What comes before the rest of a section.

    Attributes:
        title: the section's.
        short: the title in the contents.
        lead: a line above the question.
        parts: the question, and what comes first in the reveal.
    """

    title: str
    short: str
    lead: str
    parts: Sequence[Part | Table]


def opened(name: str, rest: Section | None) -> Section | None:
    """A section that begins with its opening, if it has one.

    Args:
        name: the section's.
        rest: what follows the opening, whose paragraphs are then part of the reveal; None if nothing does.
    """
    opening = openings().get(name)
    if opening is None:
        return rest
    rest = rest or Section(name, opening.title, [], [])
    paragraphs = [Text(rest.paragraphs)] if rest.paragraphs else []
    return replace(
        rest,
        title=opening.title,
        short=opening.short,
        paragraphs=[opening.lead],
        parts=[*opening.parts, *paragraphs, *rest.parts],
    )


@functools.cache
def openings() -> dict[str, Opening]:
    """By the name of the section."""
    found = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return {name: _opening(name, entry) for name, entry in found.items()}


def _opening(name: str, entry: Mapping[str, Any]) -> Opening:
    preset = entry.get("play")
    question = Question(
        name=name,
        ask=entry["ask"],
        options=entry["options"],
        answer=entry["answer"],
        why=entry["why"],
        run=quoting(entry["run"], preset) if preset else "",
        live=Live(preset) if preset else None,
        hides=entry.get("hides", True),
    )
    further = [part for one in entry.get("then", []) for part in (Text([one["say"]]), Live(one["play"]))]
    return Opening(entry["title"], entry["short"], entry["lead"], [question, *further])


def quoting(sentence: str, preset: str) -> Markup:
    """A sentence whose quantities in braces the playground fills in."""
    place = Markup('<output data-live="{}" data-quantity="{}"></output>')
    pieces = _QUANTITY.split(sentence)  # text and quantities take turns
    return Markup().join(place.format(preset, piece) if index % 2 else piece for index, piece in enumerate(pieces))
