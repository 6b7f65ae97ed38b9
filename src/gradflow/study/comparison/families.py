"""What is corrected together, and how strong the evidence for each comparison then is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gradflow.runs.record import Record
from gradflow.study.comparison.claims import NORM, Comparison, Gap, Strength
from gradflow.study.comparison.evidence import claims, holm, seeds_needed
from gradflow.study.comparison.tuning import DEFAULT


def normalisations(records: Sequence[Record]) -> Callable[[Mapping[str, Any]], str]:
    """Axes -> the value of `model.norm`.

    Axes leave out what is the default of their model; then a command line that spells it out tells it.
    """
    spelled: dict[str | None, set[str]] = {}
    for record in records:
        if NORM not in record["axes"]:
            found = {o.partition("=")[2] for o in record["overrides"] if o.startswith(f"{NORM}=")}
            spelled.setdefault(record["axes"].get("model"), set()).update(found)

    def norm(axes: Mapping[str, Any]) -> str:
        names = spelled.get(axes.get("model"), set())
        return str(axes.get(NORM, min(names) if len(names) == 1 else DEFAULT))

    return norm


def decide(drafts: Sequence[Comparison], *, alpha: float) -> list[Comparison]:
    """Correct the p values over each family, and set the strength of every comparison, or why it is open.

    Args:
        drafts: with their p values and normalisations.
        alpha: probability of one or more false claims in a family.
    """
    several = len({draft.norm for draft in drafts}) > 1
    named = drafts if several else [replace(draft, norm=None) for draft in drafts]
    return [decided for family in by_family(named) for decided in _decide(family, alpha=alpha)]


def by_family(comparisons: Sequence[Comparison]) -> Iterator[list[Comparison]]:
    """The comparisons of each family, in order of appearance."""
    for norm in dict.fromkeys(comparison.norm for comparison in comparisons):
        yield [comparison for comparison in comparisons if comparison.norm == norm]


def _decide(drafts: Sequence[Comparison], *, alpha: float) -> list[Comparison]:
    """One family: the comparisons with a baseline, then those without."""
    family = [draft for draft in drafts if draft.gap is not Gap.NO_BASELINE]
    if not family:
        return list(drafts)
    flips = [1.0 if draft.p is None else draft.p for draft in family]
    t = [1.0 if draft.t is None else draft.t for draft in family]
    found = claims(flips, t, seeds_M=[draft.n for draft in family], alpha=alpha)
    needed = seeds_needed(len(family), alpha=alpha)
    decided = []
    for draft, holm_flips, holm_t, is_shown, is_suggested in zip(family, holm(flips), holm(t), *found, strict=True):
        draft = replace(draft, family=len(family), needed=needed)
        if draft.p is not None:
            draft = replace(draft, holm=float(holm_flips), t_holm=float(holm_t))
            if is_shown or is_suggested:
                draft = replace(draft, strength=Strength.SHOWN if is_shown else Strength.SUGGESTED)
            else:
                draft = replace(draft, gap=Gap.TOO_FEW if draft.n < needed else Gap.NO_DIFFERENCE)
        decided.append(draft)
    return decided + [draft for draft in drafts if draft.gap is Gap.NO_BASELINE]
