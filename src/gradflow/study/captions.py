"""What is said under every table and figure of a study: what its intervals and standard deviations cover."""

from collections import Counter
from collections.abc import Sequence

from gradflow.runs.record import Record, State

NEW_IMAGES = "for new images and new seeds"
_SEEDS = "training's randomness"
_VARIATION = {
    None: f"{_SEEDS}, with one split and one test set",
    "split": f"{_SEEDS} and the split, as every seed has its own training, validation and test set",
    "validation": f"{_SEEDS} and the split into training and validation set, with one test set",
}


def has_intervals(records: Sequence[Record]) -> bool:
    """Whether any configuration has finished runs of several seeds."""
    seeds = Counter(record["config"] for record in records if record["state"] == State.FINISHED)
    return max(seeds.values(), default=0) > 1


def variation(records: Sequence[Record]) -> str:
    """What differs between the seeds of a configuration, as an object: `training's randomness, with one split ...`.

    Args:
        records: run.json of the runs of one study.
    """
    kinds = {record["resampled"] for record in records}
    resampled = kinds - {None}
    if len(kinds) == 1 or not resampled:
        return _VARIATION[next(iter(kinds), None)]
    return f"{_SEEDS}, and with resample_split=true the split"


def covers(records: Sequence[Record]) -> str:
    """One sentence on what the intervals over the seeds cover; empty where no configuration has several seeds."""
    return f"The 95 % intervals cover {variation(records)}." if has_intervals(records) else ""
