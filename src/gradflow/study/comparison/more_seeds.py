"""The seeds that would settle what is open, and the command that runs them."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gradflow import invocation
from gradflow.runs import tags
from gradflow.runs.record import DONE, IDENTITY, Record
from gradflow.study.comparison.claims import Comparison, Gap, Strength
from gradflow.study.comparison.evidence import ALPHA

# Chance of a false claim when looking after every seed up to the 16th, by simulation: docs/statistics.md.
INFLATED = 0.15
_NOT_REPEATED = ("seed", "rerun", "resume", "headline")  # with rerun=true everything would be trained again
_DEFAULT_PLACE = "outputs"  # of the knob output_dir
_PLAIN = re.compile(r"[\w./-]+")  # needs no quotes in an override
_DEFAULT_HEADLINES = tuple(tags.at_best(tags.test(score)) for score in (tags.ACC, tags.R2, tags.F1))


@dataclass(frozen=True)
class MoreSeeds:
    """What would settle the comparisons that are not shown.

    Attributes:
        text: how many seeds that takes, in a sentence.
        command: what runs them; empty where the recorded runs do not tell it, or nothing can be added to them.
        caution: what looking too early does.
    """

    text: str
    command: str
    caution: str


def more_seeds(
    records: Sequence[Record], comparisons: Sequence[Comparison], *, study: Path, tuned: bool = False
) -> MoreSeeds | None:
    """The seeds with which what now has too few could be shown; None where it is not seeds that are missing.

    Args:
        records: run.json of all runs of the study.
        comparisons: of these runs.
        study: the folder of these runs, which may have been moved since they were planned.
        tuned: whether the runs compared were chosen from the study's by tuning, which no command repeats.
    """
    few = [c for c in comparisons if c.strength is Strength.SUGGESTED or c.gap in (Gap.TOO_FEW, Gap.NO_SEED)]
    if not few:
        return None
    needed = max(c.needed for c in few)
    aim = "show what is suggested" if all(c.claimed for c in few) else "settle what is open"
    closed = any(record["identity"] != IDENTITY for record in records)
    command = "" if tuned or closed else _command(records, _seeds(records, few, needed), study)
    where = " of a new study, as this one is of another version of gradflow" if closed else ""
    where += ", besides those that tune it" if tuned else ""
    rest = "the missing ones:" if command else f"in every configuration{where}."
    caution = (
        f"Run them all before you look again: looking after every further seed raises the chance of a false claim from "
        f"{ALPHA:g} to {INFLATED:g}."
    )
    return MoreSeeds(f"To {aim} takes {needed} seeds{';' if command else ''} {rest}", command, caution)


def _seeds(records: Sequence[Record], few: Sequence[Comparison], needed: int) -> list[int]:
    """Of the seeds present and as many new ones as are needed, those that some configuration has yet to finish."""
    present = sorted({record["seed"] for record in records})
    new = range(present[-1] + 1, present[-1] + 1 + needed)
    configurations = {record["config"] for record in records}
    done = {(record["config"], record["seed"]) for record in records if record["state"] in DONE}
    wanted = [*present, *new[: max(0, needed - len(present))]]
    seeds = [seed for seed in wanted if not all((config, seed) in done for config in configurations)]
    return seeds or list(new[: needed - min(c.n for c in few)])


def _command(records: Sequence[Record], seeds: Sequence[int], study: Path) -> str:
    """Hydra's command line for these seeds of every configuration; empty unless the recorded overrides are a grid."""
    runs = [_options(record, study) for record in records]
    keys = list(runs[0])
    if not keys or any(run.keys() != runs[0].keys() for run in runs):
        return ""
    values = {key: _by_size(dict.fromkeys(run[key] for run in runs)) for key in keys}
    if len({tuple(run.values()) for run in runs}) < math.prod(map(len, values.values())):
        return ""
    values = dict(sorted(values.items(), key=lambda item: len(item[1]) == 1))  # what is swept comes first
    values["seed"] = [str(seed) for seed in seeds]
    words = [key if key.startswith("~") else f"{key}={','.join(choices)}" for key, choices in values.items()]
    return invocation.train("-m", *words)


def _by_size(values: Iterable[str]) -> list[str]:
    """Numbers in ascending order, anything else as it comes."""
    found = list(values)
    try:
        return sorted(found, key=float)
    except ValueError:
        return found


def _options(record: Record, study: Path) -> dict[str, str]:
    """The overrides that make the configuration, by key in alphabetical order, so that their order does not matter.

    They lead to the study's folder, and to the headline that it has now, wherever and with whichever it was planned.
    """
    pairs = [(o, o) if o.startswith("~") else (o.partition("=")[0], o.partition("=")[2]) for o in record["overrides"]]
    options = {key: value for key, value in pairs if key not in _NOT_REPEATED}
    if record["headline"] not in _DEFAULT_HEADLINES:
        options["headline"] = record["headline"]
    planned = Path(options.get("output_dir", _DEFAULT_PLACE).strip("'\""), record["study"])
    if planned.resolve() != study.resolve():
        folder = study if study.name not in ("", "..") else study.resolve()
        options["output_dir"] = _quoted(str(folder.parent))
        if folder.name != record["study"]:
            options["study"] = _quoted(folder.name)
    return dict(sorted(options.items()))


def _quoted(text: str) -> str:
    """With the quotes that Hydra needs where a value has more than letters, digits and the signs of a plain path."""
    escaped = text.replace("'", r"\'")
    return text if _PLAIN.fullmatch(text) else f"'{escaped}'"
