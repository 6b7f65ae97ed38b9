"""What the comparisons of a study say together: the plainest sentences first, then what they rest on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gradflow.runs.metrics import SELECTED_ON_TEST
from gradflow.runs.words import activation_words, capital, count, listed
from gradflow.study.comparison.claims import NORM, Comparison, Gap, Strength
from gradflow.study.comparison.families import by_family
from gradflow.study.comparison.rates import common_rate
from gradflow.study.comparison.verdict import at, estimate, norm_words, question, relation

NOTHING = "Nothing to compare: the study has only one activation."
_MOST_PLAIN = 2  # sentences that are read as one line
SUGGESTED = "Suggested: by a paired t test, which assumes roughly normal differences"


@dataclass(frozen=True)
class Overall:
    """The verdict on a whole study.

    Attributes:
        plain: a sentence on every activation in every family.
        details: the largest difference of every family, and what all of it rests on.
    """

    plain: list[str]
    details: list[str]


def overall(comparisons: Sequence[Comparison]) -> Overall:
    """The verdict on a whole study, the plainest sentences first."""
    if not comparisons:
        return Overall([NOTHING], [])
    plain, details = [], []
    for family in by_family(comparisons):
        under = norm_words(family[0])
        sentences = [_plain(family, name) for name in dict.fromkeys(c.activation for c in family)]
        plain += [capital(f"{under}, {sentence}" if under else sentence) for sentence in sentences]
        details += [f"The largest difference{f' {under}' if under else ''}: {found}." for found in _largest(family)]
    return Overall(plain, [*details, _basis(comparisons)])


def in_short(comparisons: Sequence[Comparison]) -> str:
    """The plain sentences where there are at most two, otherwise how many comparisons have which strength."""
    if len(plain := overall(comparisons).plain) <= _MOST_PLAIN:
        return " ".join(plain)
    baselines = dict.fromkeys(activation_words(c.baseline) for c in comparisons)
    counts = Counter(c.strength for c in comparisons)
    parts = [f"{strength} in {counts[strength]}" for strength in Strength if counts[strength]]
    still_open = [c for c in comparisons if not c.claimed]
    why = f": {_reasons(still_open)}" if still_open else ""
    if len(parts) == 1:
        only = comparisons[0].strength
        return f"A difference is {only} in all {len(comparisons)} comparisons with {listed(list(baselines))}{why}."
    return f"Of {len(comparisons)} comparisons with {listed(list(baselines))}, a difference is {listed(parts)}{why}."


def _plain(family: Sequence[Comparison], activation: str) -> str:
    """`ReLU scores higher than sigmoid at every depth: shown at 3 of 5 depths, suggested at 2.`"""
    found = [c for c in family if c.activation == activation]
    claims = [c for c in found if c.claimed]
    if len(found) == 1:
        return _single(found[0])
    if not claims:
        return f"it is open {_all(found)} {question(found[0])}: {_reasons(found)}."
    sides = [[c for c in claims if c.ahead == name] for name in dict.fromkeys(c.ahead for c in claims)]
    if len(sides) == 1 and len(claims) == len(found):
        return f"{relation(claims[0])} {_all(found)}: {_strengths(claims, of=found)}."
    parts = [f"{relation(side[0])} {_count(side, found)} ({_strengths(side)})" for side in sides]
    still_open = len(found) - len(claims)
    others = "the other" if still_open == 1 else f"the other {still_open}"
    rest = f"; it is open {_place(found)} {others}: {_reasons(found)}" if still_open else ""
    return f"{', '.join(parts)}{rest}."


def _single(c: Comparison) -> str:
    place = f" {at(c)}" if at(c) else ""
    if c.claimed:
        return f"{relation(c)}{place}: {c.strength}."
    return f"it is open{place} {question(c)}: {_reason(c)}."


def _strengths(claims: Sequence[Comparison], *, of: Sequence[Comparison] = ()) -> str:
    """`shown at 3 of 5 depths, suggested at 2`; `shown at all 5`; with one strength only, `shown`."""
    counts = Counter(c.strength for c in claims)
    if len(counts) == 1:
        strength = claims[0].strength
        everywhere = "both" if len(of) == 2 else f"all {len(of)}"
        return f"{strength} {_place(of)} {everywhere}" if of else strength.value
    first = f" of {len(of)} {_noun(of)}" if of else ""
    shown, suggested = counts[Strength.SHOWN], counts[Strength.SUGGESTED]
    place = _place(of or claims)
    return f"shown {place} {shown}{first}, suggested {place} {suggested}"


def _noun(found: Sequence[Comparison]) -> str:
    return "depths" if _by_depth(found) else "comparisons"


def _all(found: Sequence[Comparison]) -> str:
    return f"{_place(found)} every {_noun(found)[:-1]}"


def _place(found: Sequence[Comparison]) -> str:
    """At a depth, but in a comparison."""
    return "at" if _by_depth(found) else "in"


def _count(side: Sequence[Comparison], found: Sequence[Comparison]) -> str:
    return f"{_place(found)} {len(side)} of {len(found)} {_noun(found)}"


def _by_depth(found: Sequence[Comparison]) -> bool:
    """Whether only depth tells these comparisons apart."""
    groups = [{axis: value for axis, value in c.group.items() if axis not in ("blocks", NORM)} for c in found]
    return all(group == groups[0] for group in groups) and len({c.group.get("blocks") for c in found}) == len(found)


def _reasons(found: Sequence[Comparison]) -> str:
    """`no difference shown at 4, a seed diverged at 1`; without the counts if there is one reason."""
    counts = Counter(_reason(c) for c in found if not c.claimed)
    if len(counts) == 1:
        return next(iter(counts))
    return "; ".join(f"{reason} {_place(found)} {n}" for reason, n in counts.items())


def _reason(c: Comparison) -> str:
    assert c.gap is not None
    return f"too few seeds ({c.n} of the {c.needed} needed)" if c.gap is Gap.TOO_FEW else c.gap.value


def _largest(family: Sequence[Comparison]) -> list[str]:
    """The largest claimed difference, or the largest observed one; none without any."""
    seen = [c for c in family if c.claimed] or [c for c in family if c.gap in (Gap.NO_DIFFERENCE, Gap.TOO_FEW)]
    measured = [(abs(c.differences.mean), c) for c in seen if c.differences]
    size, largest = max(measured, key=lambda pair: pair[0], default=(0.0, None))
    if largest is None or size <= largest.rounding:
        return []
    place = f" {at(largest)}" if at(largest) else ""
    ahead, behind = activation_words(largest.ahead), activation_words(largest.behind)
    pair = f"{ahead} {'over' if largest.better else 'above'} {behind}"
    return [f"{pair}{place}, {estimate(largest)}{'' if largest.claimed else ', which shows nothing yet'}"]


def _basis(comparisons: Sequence[Comparison]) -> str:
    """The metric, the pairing, the correction, the rate, and what *suggested* assumes."""
    first = comparisons[0]
    metric = f"{first.words}, {SELECTED_ON_TEST}" if first.selected_on_test else first.words
    basis = f"By {metric}, paired by seed{_corrected(comparisons)}, {common_rate(comparisons)}."
    if any(c.strength is Strength.SUGGESTED for c in comparisons):
        basis += f" {SUGGESTED}."
    skewed = sum(c.skewed for c in comparisons)
    if skewed:
        basis += (
            f" In {skewed} of {len(comparisons)} comparisons the differences are skewed: there the median and the "
            "probability of improvement say more than the mean."
        )
    return basis


def _corrected(comparisons: Sequence[Comparison]) -> str:
    """`, Holm-corrected over the 3 comparisons of each normalisation`."""
    sizes = [family[0].family for family in by_family(comparisons) if family[0].family]
    if len(sizes) > 1 and len(set(sizes)) == 1:
        return f", Holm-corrected over the {count(sizes[0], 'comparison')} of each normalisation"
    if len(sizes) > 1:
        return f", Holm-corrected over {listed(list(map(str, sizes)))} comparisons, a family for each normalisation"
    return f", Holm-corrected over {count(sizes[0], 'comparison')}" if sizes else ""
