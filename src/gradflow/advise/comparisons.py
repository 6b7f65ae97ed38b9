"""Which of two activations is behind, by the paired comparisons of a study, and how strong the evidence is."""

from collections.abc import Sequence
from pathlib import Path

from gradflow.advise.cases import Case, Place
from gradflow.advise.measured_run import Sighting
from gradflow.runs.metrics import SELECTED_ON_TEST
from gradflow.runs.record import Record, State
from gradflow.study.comparison.claims import Comparison, Strength
from gradflow.study.comparison.compare import compare
from gradflow.study.comparison.more_seeds import MoreSeeds, more_seeds
from gradflow.study.comparison.verdict import estimate


def leads(
    study: Path, records: Sequence[Record], *, baseline: str | None, metric: str | None
) -> list[tuple[Strength, Case]]:
    """The pairs in which one is shown or suggested to be behind, with the activation that is behind as the place.

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
    return [(c.strength, _lead(c, more)) for c in comparisons if c.claimed and c.better]


def _lead(c: Comparison, more: MoreSeeds | None) -> Case:
    assert c.differences is not None
    if c.strength is Strength.SHOWN:
        remedy = f"activation={c.ahead} there"
    else:
        remedy = more.command if more and more.command else f"more seeds: {c.needed} are needed"
    others = ", ".join(f"{axis}={value}" for axis, value in c.axes.items() if axis != "blocks")
    place = Place((c.behind,), (c.group.get("blocks"),), (others,))
    evidence = f"{c.verdict}; by {c.words}{f', {SELECTED_ON_TEST}' if c.selected_on_test else ''}"
    return Case(
        place,
        holds=sum(c.sign * difference > 0 for difference in c.differences.values),
        judged=c.n,
        seen=((place, Sighting(abs(c.differences.mean), estimate(c), evidence)),),
        remedies=(remedy,),
    )
