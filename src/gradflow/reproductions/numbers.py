"""How the page writes published and measured values."""

from collections.abc import Sequence

from gradflow.reproductions.published import Claim
from gradflow.runs.metrics import MetricTable
from gradflow.study.statistics import UNLIMITED, Summary, summary

NOTHING = "\N{EN DASH}"
MOST_DECIMALS = 4


def published(claim: Claim) -> str:
    """A range, a minimum, a number, or the order that is claimed."""
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
    found, magnitude = summary_of(claim, values), _is_magnitude(claim)
    numbers = [found.mean] if found.n == 1 else [found.mean, found.low, found.high]
    if claim.rule == "exactly":
        return " to ".join(dict.fromkeys(f"{value:,.0f}" for value in (min(values), max(values))))
    digits = min(claim.decimals + 1, MOST_DECIMALS)
    mean, *bounds = [magnitude_text(v) if magnitude else f"{v:.{digits}f}" for v in numbers]
    return f"{mean} [{', '.join(bounds)}]" if bounds else mean


def summary_of(claim: Claim, values: Sequence[float]) -> Summary:
    """Mean and interval of what was measured for a claim; geometric where it is about a magnitude."""
    is_metric = claim.from_blocks is None and claim.rule != "below"  # neither a difference nor a ratio of two
    within = MetricTable()[claim.metric].limits if is_metric else UNLIMITED
    return summary(values, log10=_is_magnitude(claim), within=within)


def _is_magnitude(claim: Claim) -> bool:
    return claim.relative or claim.rule in ("factor", "below")


def seed_by_seed(claim: Claim, values: Sequence[float]) -> str:
    """`the seeds give 0.574, 0.547`: why nothing can be decided."""
    shown = [estimate(claim, [value]) if claim.decimals else f"{value:g}" for value in values]
    return f"the seeds give {', '.join(shown)}"


def magnitude_text(value: float) -> str:
    """Three significant digits."""
    return f"{value:#.3g}".rstrip(".")
