"""Averages as runs of TensorBoard, beside the runs that they are of.

Each stands in a folder of its own under its tags' own names, so that a filter for a tag finds it once:
`<config>/mean`, `lower`, `upper` (the ends of the interval), `seeds` (how many, where some are missing), `bands` (mean
and both ends together, which a margin chart needs in one run). `summary/<activation>/` has the same against depth.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.scalar import metadata as scalars

from gradflow.runs import folders
from gradflow.runs.events import EventFile
from gradflow.study.statistics import Band

MEAN, LOWER, UPPER, SEEDS, BANDS = "mean", "lower", "upper", "seeds", "bands"
KINDS = (BANDS, SEEDS, UPPER, LOWER, MEAN)  # in the order of writing: where there is a mean, all is there
SUMMARY = "summary"  # the folder of what belongs to no single configuration

Rows = dict[int, dict[str, float]]  # step -> tag -> value
Averages = dict[str, Rows]  # one of KINDS -> its values


def add(rows: Rows, tag: str, steps: np.ndarray, values: np.ndarray) -> None:
    """Add the values that are finite, at their steps."""
    for step, value in zip(steps.tolist(), values.tolist(), strict=True):
        if np.isfinite(value):
            rows.setdefault(step, {})[tag] = value


def add_band(averages: Averages, tag: str, steps: np.ndarray, band: Band, *, whole: int) -> None:
    """Add mean, ends and, where fewer than `whole` seeds have a value, how many have."""
    for kind, values in ((MEAN, band.mean), (LOWER, band.low), (UPPER, band.high)):
        add(averages.setdefault(kind, {}), tag, steps, values)
    add(averages.setdefault(SEEDS, {}), tag, steps, np.where(band.n < whole, band.n, np.nan))


def digest_of(content: object) -> str:
    """What tells averages of other runs, or written in another way, apart: part of their files' names."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:12]


def is_fresh(folder: Path, digest: str) -> bool:
    """Whether the averages in this folder are those with this digest."""
    return any((folder / MEAN).glob(f"{folders.EVENT_FILES}.{digest}"))


def write(folder: Path, averages: Averages, *, described: Mapping[str, str], digest: str) -> None:
    """Replace the averages in a folder; those that there are no longer go away.

    Args:
        folder: e.g. that of a configuration.
        averages: what to write.
        described: tag -> what TensorBoard says of it.
        digest: what tells these averages from others.
    """
    for kind in KINDS:
        if rows := averages.get(kind):
            replace(folder / kind, _events(rows, described), digest=digest)
        else:
            remove(folder / kind)


def replace(folder: Path, events: Sequence[Event], *, digest: str) -> None:
    """Let these be the events of a folder. Readers find all of those before, nothing for a moment, or all of these."""
    unfinished = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(unfinished, ignore_errors=True)  # of a writer that was killed
    EventFile(unfinished).write(events)
    (written,) = unfinished.glob(folders.EVENT_FILES)
    folder.mkdir(exist_ok=True)
    _clear(folder)
    written.rename(folder / f"{written.name}.{digest}")
    unfinished.rmdir()


def remove(folder: Path) -> None:
    """Remove the events of a folder, and the folder if nothing else is in it."""
    if folder.is_dir():
        _clear(folder)
        if not any(folder.iterdir()):
            folder.rmdir()


def _clear(folder: Path) -> None:
    for file in folder.glob(folders.EVENT_FILES):
        file.unlink()


def _events(rows: Rows, described: Mapping[str, str]) -> list[Event]:
    now = time.time()
    events = []
    known: set[str] = set()  # TensorBoard takes a tag's description from its first value
    for step, row in sorted(rows.items()):
        first = {
            tag: scalars.create_summary_metadata(display_name="", description=described[tag])
            for tag in row.keys() & described.keys() - known
        }
        known |= row.keys()
        values = [Summary.Value(tag=tag, simple_value=value, metadata=first.get(tag)) for tag, value in row.items()]
        events.append(Event(wall_time=now, step=step, summary=Summary(value=values)))
    return events
