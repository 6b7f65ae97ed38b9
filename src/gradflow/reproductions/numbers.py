"""How the page writes what was published and what was measured."""

from collections.abc import Sequence

from gradflow import names
from gradflow.reproductions.published import Claim
from gradflow.study.statistics import UNLIMITED, summary

NOTHING = "\N{EN DASH}"
MOST_DECIMALS = 4


def published(claim: Claim) -> str:
    """A range, a least value, a number, or the order that is claimed."""
    match claim.rule:
        case "within":
            low, high = claim.published
            return f"{low:.{claim.decimals}f} to {high:.{claim.decimals}f}"
        case "at_least":
            return f"at least {claim.published:.{claim.decimals}f}"
        case "exactly":
            return f"{claim.published:,}"
        case "factor":
            return magnitude_text(claim.published)
        case "below":
            return "ratio under 1"
    return f"{claim.published:.{claim.decimals}f}"


def estimate(claim: Claim, values: Sequence[float]) -> str:
    """Mean and interval with one digit more than was published; geometric where the claim is about a magnitude."""
    if not values:
        return NOTHING
    magnitude = claim.relative or claim.rule in ("factor", "below")
    found = summary(values, log10=magnitude, within=_limits(claim))
    numbers = [found.mean] if found.n == 1 else [found.mean, found.low, found.high]
    if claim.rule == "exactly":
        return " to ".join(dict.fromkeys(f"{value:,.0f}" for value in (min(values), max(values))))
    digits = min(claim.decimals + 1, MOST_DECIMALS)
    mean, *bounds = [magnitude_text(v) if magnitude else f"{v:.{digits}f}" for v in numbers]
    return f"{mean} [{', '.join(bounds)}]" if bounds else mean


def _limits(claim: Claim) -> tuple[float, float]:
    """Of a metric, its own; a difference or a ratio of two has none of them."""
    return UNLIMITED if claim.from_blocks is not None or claim.rule == "below" else names.limits(claim.metric)


def seed_by_seed(claim: Claim, values: Sequence[float]) -> str:
    """`the seeds have 0.574, 0.547`: why nothing can be told."""
    shown = [estimate(claim, [value]) if claim.decimals else f"{value:g}" for value in values]
    return f"the seeds have {', '.join(shown)}"


def magnitude_text(value: float) -> str:
    """Three significant digits."""
    return f"{value:#.3g}".rstrip(".")
