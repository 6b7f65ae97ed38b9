"""One comparison of a study: two activations, their differences seed by seed, and how strong the evidence is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from gradflow.study.comparison.tuning import Choice
from gradflow.study.statistics import Summary

NORM = "model.norm"


class Strength(StrEnum):
    """How strong the evidence for a difference is; docs/statistics.md defines all three."""

    SHOWN = "shown"  # by the exact sign flip, Holm-corrected
    SUGGESTED = "suggested"  # by the paired t test, Holm-corrected, with fewer seeds than the sign flip needs
    OPEN = "open"


class Gap(StrEnum):
    """Why a comparison is open."""

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
        words: the metric in people's words.
        better: which of two values is better; None if unknown.
        in_decades: whether differences are in decades (log10), as for gradient magnitudes.
        group: what both have in common, e.g. `{"blocks": 4}`.
        norm: the family, where a study has several: its value of `model.norm`; None where it has one.
        gap: why the comparison is open; None where it is not.
        seeds: with a value on both sides.
        configs: the configuration of each seed's run, by activation.
        differences: activation minus baseline, per seed; None without a seed in common.
        rounding: the absolute error of a difference.
        median: of the differences.
        improvement: the share of seeds in which the activation's value is higher, ties half.
        skewed: whether the mean describes the differences badly.
        p: exact two-sided sign-flip p; None where no claim is possible anyway.
        holm: p after Holm's correction over the family; None if p is.
        t: the paired t test's p; None if p is.
        t_holm: t after Holm's correction over the family; None if p is.
        family: number of comparisons of the family.
        needed: seeds needed to show one of this many comparisons.
        diverged: (activation, seed) of every diverged run.
        left_out: (activation, seed, why) of every run without a value whose counterpart has finished.
        lrs: learning rate by activation, None where the run does not record it.
        choices: of the tuned key by activation; empty if nothing was tuned.
        verdict: one sentence, with the learning rate at which it holds.
    """

    metric: str
    words: str
    better: Literal["higher", "lower"] | None = None
    in_decades: bool = False
    activation: str
    baseline: str
    group: Mapping[str, Any]
    norm: str | None = None
    strength: Strength = Strength.OPEN
    gap: Gap | None = None
    seeds: tuple[int, ...] = ()
    configs: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    differences: Summary | None = None
    rounding: float = 0.0
    median: float | None = None
    improvement: float | None = None
    skewed: bool = False
    p: float | None = None
    holm: float | None = None
    t: float | None = None
    t_holm: float | None = None
    family: int = 0
    needed: int = 0
    diverged: tuple[tuple[str, int], ...] = ()
    left_out: tuple[tuple[str, int, str], ...] = ()
    lrs: Mapping[str, float | None] = field(default_factory=dict)
    choices: Mapping[str, Choice] = field(default_factory=dict)
    selected_on_test: bool = False
    verdict: str = ""

    @property
    def n(self) -> int:
        return len(self.seeds)

    @property
    def axes(self) -> dict[str, Any]:
        """The group, with the normalisation wherever a study has several."""
        return {**self.group, **({} if self.norm is None else {NORM: self.norm})}

    @property
    def where(self) -> str:
        """`blocks=4, model.norm=none`: these as text."""
        return ", ".join(f"{axis}={value}" for axis, value in self.axes.items())

    @property
    def claimed(self) -> bool:
        """Whether a difference is shown or at least suggested."""
        return self.strength is not Strength.OPEN

    @property
    def ahead(self) -> str:
        """The activation with the better mean; with the higher one if neither direction is better."""
        return self._ordered[0]

    @property
    def behind(self) -> str:
        return self._ordered[1]

    @property
    def sign(self) -> int:
        """1 if a difference speaks for `ahead` where it is positive, otherwise -1."""
        return 1 if self.differences is not None and self.differences.mean > 0 else -1

    @property
    def _ordered(self) -> tuple[str, str]:
        if (self.sign > 0) == (self.better != "lower"):
            return self.activation, self.baseline
        return self.baseline, self.activation
