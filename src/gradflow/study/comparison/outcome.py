"""One comparison of a study: two activations, their differences seed by seed, and the outcome."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from gradflow.study.comparison.tuning import Choice
from gradflow.study.statistics import Summary


class Outcome(StrEnum):
    """What a verdict rests on. `higher` and `lower`: the activation's value relative to the baseline's."""

    HIGHER = "higher"
    LOWER = "lower"
    NO_DIFFERENCE = "no difference shown"
    TOO_FEW = "too few seeds"
    NO_SEED = "no seed in common"
    DIVERGED = "a seed diverged"
    NO_CHOICE = "nothing to choose"
    NO_BASELINE = "no baseline"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """An activation against the baseline in one group of a study, paired by seed.

    Attributes:
        group: what both have in common, e.g. `{"blocks": 4}`.
        seeds: with a value on both sides.
        differences: activation minus baseline, per seed; None without a seed in common. In decades (log10) for a
            gradient magnitude.
        p: exact two-sided sign-flip p; None where no claim is possible anyway.
        holm: p after Holm's correction over the family; None if p is.
        family: number of comparisons of the family.
        needed: seeds needed to claim one of this many comparisons.
        diverged: (activation, seed) of every diverged run.
        left_out: (activation, seed, why) of every run without a value whose counterpart has finished.
        lrs: learning rate by activation, None where the run does not record it.
        choices: of the tuned key by activation; empty if nothing was tuned.
        better: which of two values is better; None if unknown.
        verdict: one sentence, with the learning rate at which it holds.
    """

    metric: str
    activation: str
    baseline: str
    group: Mapping[str, Any]
    outcome: Outcome
    seeds: tuple[int, ...] = ()
    differences: Summary | None = None
    p: float | None = None
    holm: float | None = None
    family: int = 0
    needed: int = 0
    diverged: tuple[tuple[str, int], ...] = ()
    left_out: tuple[tuple[str, int, str], ...] = ()
    lrs: Mapping[str, float | None] = field(default_factory=dict)
    choices: Mapping[str, Choice] = field(default_factory=dict)
    selected_on_test: bool = False
    in_decades: bool = False
    better: Literal["higher", "lower"] | None = None
    verdict: str = ""

    @property
    def n(self) -> int:
        return len(self.seeds)

    @property
    def where(self) -> str:
        """`blocks=4`: the group as text."""
        return ", ".join(f"{axis}={value}" for axis, value in self.group.items())

    @property
    def claimed(self) -> bool:
        return self.outcome in (Outcome.HIGHER, Outcome.LOWER)
