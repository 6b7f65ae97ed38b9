"""How sure a study's answer is, in one line."""

from collections.abc import Sequence
from dataclasses import dataclass

from gradflow.runs.record import Record
from gradflow.runs.words import axis_words, count
from gradflow.study.comparison.claims import Comparison
from gradflow.study.comparison.more_seeds import MoreSeeds
from gradflow.study.comparison.overall import in_short
from gradflow.study.configurations import activations
from gradflow.study.treatments import compared


@dataclass(frozen=True)
class Evidence:
    """How sure the answer is, and what would make it surer.

    Attributes:
        label: what it is from, `Evidence from 8 seeds`.
        text: a line.
        more: the seeds that would show more.
    """

    label: str
    text: str
    more: MoreSeeds | None = None


def evidence(records: Sequence[Record], comparisons: Sequence[Comparison], more: MoreSeeds | None) -> Evidence:
    """What the comparisons show together, and from how many seeds.

    Args:
        records: run.json of the study's runs.
        comparisons: of its headline.
        more: the seeds that would show more.
    """
    if not comparisons:
        what = axis_words(compared(activations(records)))
        return Evidence("Evidence", f"nothing is compared, as the study has only one {what}.")
    numbers = sorted({comparison.n for comparison in comparisons if comparison.n})
    if not numbers:
        return Evidence("Evidence", in_short(comparisons), more)
    seeds = count(numbers[0], "seed") if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]} seeds"
    return Evidence(f"Evidence from {seeds}", in_short(comparisons), more)
