"""Which of two activations is behind, by the paired comparisons of a study, and how strong the evidence is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gradflow.runs.metrics import SELECTED_ON_TEST
from gradflow.runs.record import Record, State
from gradflow.study.comparison.claims import Comparison, Strength
from gradflow.study.comparison.compare import compare
from gradflow.study.comparison.more_seeds import MoreSeeds, more_seeds


@dataclass(frozen=True)
class Lead:
    """One activation is ahead of another in one group of a study.

    Attributes:
        where: the activation that is behind, and the group.
        holds: the number of seeds in which it is behind.
        seeds: the number of seeds that both have.
        strength: shown or suggested.
        remedy: what to do about it.
        evidence: one line.
        badness: the mean difference, in the metric's unit.
    """

    where: str
    holds: int
    seeds: int
    strength: Strength
    remedy: str
    evidence: str
    badness: float


def leads(study: Path, records: Sequence[Record], *, baseline: str | None, metric: str | None) -> list[Lead]:
    """The pairs in which one is shown or suggested to be behind.

    Args:
        study: the study's folder.
        records: run.json of its runs, any state.
        baseline: the activation that others are compared with, as in `gradflow.study.comparison.compare`.
        metric: what they are compared by; the study's headline by default.

    Raises:
        ValueError: if the study has no such baseline or metric.
    """
    finished = [record for record in records if record["state"] == State.FINISHED]
    if not finished or (metric is None and not any(r["headline"] in r["metrics"] for r in finished)):
        return []
    comparisons = compare(records, baseline=baseline, metric=metric)
    more = more_seeds(records, comparisons, study=study)
    return [_lead(c, more) for c in comparisons if c.claimed and c.better]


def _lead(c: Comparison, more: MoreSeeds | None) -> Lead:
    assert c.differences is not None
    if c.strength is Strength.SHOWN:
        remedy = f"activation={c.ahead} there"
    else:
        remedy = more.command if more and more.command else f"more seeds: {c.needed} are needed"
    return Lead(
        where=", ".join(part for part in (c.behind, c.where) if part),
        holds=sum(c.sign * difference > 0 for difference in c.differences.values),
        seeds=c.n,
        strength=c.strength,
        remedy=remedy,
        evidence=f"{c.verdict}; by {c.words}{f', {SELECTED_ON_TEST}' if c.selected_on_test else ''}",
        badness=abs(c.differences.mean),
    )
