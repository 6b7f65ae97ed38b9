"""Whether a published claim holds: the seeds' values in, a verdict out, by rules that the page states."""

import math
from collections.abc import Sequence
from enum import StrEnum

from scipy import stats

from gradflow.reproductions.published import Claim
from gradflow.study.statistics import LEVEL, Summary, summary

ONE_RUN = 2  # tolerances: the precision credited to a single run; anything less precise decides nothing
FACTOR = 2.0  # how far off an order of magnitude may be

RULES = {
    "within": "a published range holds if it contains the measured mean, rounded to the published digits; it is "
    "undecided if only the mean's interval reaches it",
    "at_least": "a published minimum holds if the mean, rounded likewise, reaches it; it is undecided if only the "
    "mean's interval does",
    "near": "the value of one published run holds if it is within a tolerance of the mean (1 point of accuracy, "
    "1 epoch, 10 % of a gradient), or where one more run of ours is expected: in the 95 % prediction interval of the "
    "seeds, mean ± t sd √(1 + 1/n); if that extends beyond two tolerances, a value in it is undecided",
    "exactly": "a count holds if every run matches it",
    "factor": f"an order of magnitude holds within a factor of {FACTOR:g}",
    "below": "an ordering of two activations holds if the 95 % interval of the log ratio, paired by seed, is on its "
    "side of zero; it fails if the interval is on the other side, and is undecided if the interval contains zero",
}


class Verdict(StrEnum):
    """What became of a claim."""

    HELD = "held"
    UNDECIDED = "undecided"
    NOT_HELD = "not held"
    NOT_RUN = "not run"


def judge(claim: Claim, values: Sequence[float]) -> Verdict:
    """The verdict on one claim.

    Args:
        claim: what was published.
        values: one per seed; for the rule `below`, the ratio to the other activation.
    """
    if not values:
        return Verdict.NOT_RUN
    match claim.rule:
        case "within":
            return _within(values, *claim.published, decimals=claim.decimals, tolerance=claim.tolerance)
        case "at_least":
            bounds = claim.published, math.inf
            return _within(values, *bounds, decimals=claim.decimals, tolerance=claim.tolerance)
        case "near":
            return _near(values, claim)
        case "exactly":
            return _verdict(all(value == claim.published for value in values))
        case "factor":
            ratio = summary(values, log10=True).mean / claim.published
            return _verdict(1 / FACTOR <= ratio <= FACTOR)
        case "below":
            return _below(summary([math.log10(value) for value in values]))
    raise ValueError(f"{claim.text}: unknown rule {claim.rule}; the rules are {', '.join(RULES)}")


def _verdict(held: bool) -> Verdict:
    return Verdict.HELD if held else Verdict.NOT_HELD


def _within(values: Sequence[float], low: float, high: float, *, decimals: int, tolerance: float) -> Verdict:
    found = summary(values)
    if low <= round(found.mean, decimals) <= high:
        return Verdict.HELD
    half = ONE_RUN * tolerance if found.n == 1 else found.high - found.mean
    return Verdict.UNDECIDED if found.mean - half <= high and found.mean + half >= low else Verdict.NOT_HELD


def _near(values: Sequence[float], claim: Claim) -> Verdict:
    published, tolerance = float(claim.published), claim.tolerance
    if claim.relative:
        values, published, tolerance = [math.log10(v) for v in values], math.log10(published), math.log10(1 + tolerance)
    found = summary(values)
    off = abs(found.mean - published)
    widest = ONE_RUN * tolerance
    reach = widest if found.n == 1 else _prediction(found)
    if off <= tolerance or (off <= reach <= widest and found.n > 1):
        return Verdict.HELD
    return Verdict.UNDECIDED if off <= reach else Verdict.NOT_HELD


def _prediction(found: Summary) -> float:
    """Half the width of the interval in which one more run is expected.

    Source: Hahn & Meeker 1991, Statistical Intervals, section 4.7.
    """
    return float(stats.t.ppf((1 + LEVEL) / 2, found.n - 1)) * found.sd * math.sqrt(1 + 1 / found.n)


def _below(logs: Summary) -> Verdict:
    if logs.n == 1 or logs.low <= 0 <= logs.high:
        return Verdict.UNDECIDED
    return _verdict(logs.high < 0)
