"""The published claims, as `published.yaml` lists them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("published.yaml")


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One published number, range or ordering; the fields are explained at the head of `published.yaml`.

    Attributes:
        published: (low, high) of the rule `within`, None of the rule `below`, else a number.
    """

    text: str
    activation: str
    metric: str
    rule: str
    published: Any = None
    blocks: int | None = None
    from_blocks: int | None = None
    decimals: int = 2
    tolerance: float = 0.01
    relative: bool = False
    epoch: int | None = None
    over: str | None = None
    other: str | None = None
    curve: str | None = None
    why: str | None = None


@dataclass(frozen=True)
class Experiment:
    """One published experiment: the study that reproduces it, what it is, its claims, why some may not hold."""

    study: str
    title: str
    setup: str
    claims: list[Claim]
    why: str = ""


def experiments() -> list[Experiment]:
    """All of them, in the order of the page."""
    listed = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return [
        Experiment(**{**entry, "claims": [cell for claim in entry["claims"] for cell in _cells(Claim(**claim))]})
        for entry in listed
    ]


def _cells(claim: Claim) -> Iterator[Claim]:
    """A claim about several depths as one claim per depth."""
    if not isinstance(claim.published, dict):
        yield claim
        return
    for blocks, value in claim.published.items():
        noun = "block" if blocks == 1 else "blocks"
        yield replace(claim, text=f"{claim.text}, {blocks} {noun}", blocks=blocks, published=value)
