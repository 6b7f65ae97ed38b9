"""What a rule saw in a run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sighting:
    """A rule holds in a run.

    Attributes:
        badness: the larger, the worse; compared within a rule.
        number: the deciding quantity, as text.
        evidence: one line with the number, the layer, the epoch.
    """

    badness: float
    number: str
    evidence: str


def per_cent(share: float) -> str:
    """Three digits, so that a share just past its threshold does not look like it."""
    return f"{100 * share:.3g} %" if share < 10 else f"{100 * share:,.0f} %"
