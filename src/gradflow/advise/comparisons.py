"""Which of two activations is behind, by the paired comparisons of a study, and whether that can be claimed."""

from collections.abc import Sequence
from dataclasses import dataclass

from gradflow.runs.metrics import SELECTED_ON_TEST
from gradflow.runs.record import Record, State
from gradflow.study.comparison.compare import compare, families
from gradflow.study.comparison.outcome import Comparison, Outcome
from gradflow.study.comparison.verdict import rate


@dataclass(frozen=True)
class Lead:
    """One activation is ahead of another in one group of a study.

    Attributes:
        where: the activation that is behind, and the group.
        winner: the one that is ahead.
        holds: the number of seeds in which it is ahead.
        seeds: the number of seeds that both have.
        claimed: whether it can be claimed; if not, there are too few seeds.
        needed: seeds that a claim needs.
        evidence: one line.
        badness: the mean difference, in the metric's unit.
    """

    where: str
    winner: str
    holds: int
    seeds: int
    claimed: bool
    needed: int
    evidence: str
    badness: float


def leads(records: Sequence[Record], *, baseline: str | None, metric: str | None) -> list[Lead]:
    """The pairs in which one is behind: claimed, or with too few seeds and an interval that excludes zero.

    Raises:
        ValueError: if the study has no such baseline or metric.
    """
    finished = [record for record in records if record["state"] == State.FINISHED]
    if not finished or (metric is None and not any(r["headline"] in r["metrics"] for r in finished)):
        return []
    if metric is None:
        (comparisons,) = families(records, baseline=baseline)
    else:
        comparisons = compare(records, baseline=baseline, metric=metric)
    found = map(_lead, comparisons)
    return [lead for lead in found if lead is not None]


def _lead(c: Comparison) -> Lead | None:
    """The lead that a comparison shows, if any."""
    if c.differences is None or c.better is None:
        return None
    too_few = c.outcome is Outcome.TOO_FEW and (c.differences.low > 0 or c.differences.high < 0)
    if not (c.claimed or too_few):
        return None
    sign = -1 if c.better == "lower" else 1
    behind = sign * c.differences.mean < 0  # whether the activation is behind its baseline
    loser, winner = (c.activation, c.baseline) if behind else (c.baseline, c.activation)
    towards = -1 if c.differences.mean < 0 else 1
    return Lead(
        where=", ".join(part for part in (loser, c.where) if part),
        winner=winner,
        holds=sum(towards * difference > 0 for difference in c.differences.values),
        seeds=c.n,
        claimed=c.claimed,
        needed=c.needed,
        evidence=c.verdict if c.claimed else _unclaimed(c, winner),
        badness=abs(c.differences.mean),
    )


def _unclaimed(c: Comparison, winner: str) -> str:
    """`test/acc_at_best is 0.15 [0.12, 0.18] worse than relu's; no claim with 3 seeds (8 needed for 5 comparisons)`."""
    assert c.differences is not None
    metric = f"{c.metric}, {SELECTED_ON_TEST}," if c.selected_on_test else c.metric
    low, high = sorted(abs(bound) for bound in (c.differences.low, c.differences.high))
    family = f"{c.family} comparison{'' if c.family == 1 else 's'}"
    return (
        f"{metric} is {abs(c.differences.mean):.3g} [{low:.3g}, {high:.3g}] worse than {winner}'s; no claim with "
        f"{c.n} seeds ({c.needed} needed for {family}), {rate(c)}"
    )
