"""How sure a study's answer is, in one line."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gradflow.runs.record import Record, State
from gradflow.runs.words import axis_words, count
from gradflow.study.comparison.claims import Comparison
from gradflow.study.comparison.more_seeds import MoreSeeds
from gradflow.study.comparison.overall import in_short
from gradflow.study.configurations import activations
from gradflow.study.treatments import ACTIVATION, compared


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
        what = compared(activations(records))
        words = "activations" if what == ACTIVATION else f"values of {axis_words(what)}"
        why = f"no verdict, as verdicts compare {words} and this study has only one."
        return Evidence(_label(_finished_seeds(records)), why)
    numbers = sorted({comparison.n for comparison in comparisons if comparison.n})
    return Evidence(_label(numbers), in_short(comparisons), more)


def _finished_seeds(records: Sequence[Record]) -> list[int]:
    """How many finished seeds configurations have, in ascending order."""
    finished = Counter(record["config"] for record in records if record["state"] == State.FINISHED)
    return sorted(set(finished.values()))


def _label(numbers: Sequence[int]) -> str:
    """`Evidence from 2 to 3 seeds`; without a number if there is none."""
    if not numbers:
        return "Evidence"
    seeds = count(numbers[0], "seed") if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]} seeds"
    return f"Evidence from {seeds}"
