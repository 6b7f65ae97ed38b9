"""Whether the curves of a run are all there: nothing short, missing or damaged.

Of a run that has ended, its record says what there is; of one that goes on, its checkpoint.
"""

from collections.abc import Mapping
from pathlib import Path

import google_crc32c

from gradflow.errors import ConfigError
from gradflow.runs import folders
from gradflow.runs.events import events
from gradflow.runs.record import IDENTITY, EventsEntry, Record
from gradflow.runs.states import is_over

_AT_ONCE = 1 << 20  # bytes that are read at once


def event_entries(folder: Path) -> dict[str, EventsEntry]:
    """What a record says of the event files in a run folder, by name."""
    return {file.name: _entry(file, file.stat().st_size) for file in sorted(folder.glob(folders.EVENT_FILES))}


def missing_curves(folder: Path, record: Record) -> str | None:
    """What is missing of the curves of a run that is over, by the sizes of its files; None if nothing is.

    Records that say nothing of their files are of before there was this entry: their runs have one file that is not
    empty, unless the command chose its loggers.
    """
    if not is_over(record):
        return None
    if record["events"] is not None:
        return lacking(folder, {name: entry["bytes"] for name, entry in record["events"].items()})
    sizes = {file.name: file.stat().st_size for file in folder.glob(folders.EVENT_FILES)}
    chose_loggers = any(one.lstrip("+~").startswith("logger") for one in record["overrides"])
    empty = [name for name, size in sizes.items() if size == 0]
    return f"{empty[0]} is empty" if empty else "no event file" if not (sizes or chose_loggers) else None


def damaged_curves(folder: Path, record: Record) -> str | None:
    """What is missing or damaged, by the content of its files, which are read; None if they are whole."""
    if (fault := missing_curves(folder, record)) is not None or not is_over(record):
        return fault
    if record["events"] is None:
        return _damaged_events(folder, dict.fromkeys(file.name for file in sorted(folder.glob(folders.EVENT_FILES))))
    for name, entry in record["events"].items():
        if _entry(folder / name, entry["bytes"]) != entry:
            return f"the content of {name} has changed"
    return None


def damaged_so_far(folder: Path, sizes: Mapping[str, int]) -> str | None:
    """What is missing or damaged of the curves up to a checkpoint, whose sizes it knows; None if they are whole."""
    return lacking(folder, sizes) or _damaged_events(folder, sizes)


def lacking(folder: Path, sizes: Mapping[str, int]) -> str | None:
    """What the event files of a run folder lack of these sizes; None if nothing."""
    for name, size in sizes.items():
        if not (folder / name).exists():
            return f"no {name}"
        if (there := (folder / name).stat().st_size) < size:
            return f"{name} has {there:,} of {size:,} bytes"
    return None


def said(folder: Path, record: Record, fault: str) -> str:
    """One line on a run whose curves are not whole."""
    is_of_today = record["identity"] == IDENTITY
    remedy = "; the same command trains it again" if is_of_today else "; train it again in another study"
    return f"{folder}: its curves are not whole ({fault}) and are left out{remedy}"


def _entry(file: Path, size: int) -> EventsEntry:
    """Of the first bytes of a file; somebody may have added to it."""
    checksum = google_crc32c.Checksum()
    left = size
    with file.open("rb") as opened:
        while left and (part := opened.read(min(left, _AT_ONCE))):
            checksum.update(part)
            left -= len(part)
    return {"bytes": size - left, "crc32c": checksum.hexdigest().decode()}


def _damaged_events(folder: Path, sizes: Mapping[str, int | None]) -> str | None:
    """Where an event's checksum is wrong, in the first bytes of these files, or in all if no size is given."""
    for name, size in sizes.items():
        try:
            for _ in events(folder / name, size=size):
                pass
        except ConfigError as error:
            return str(error).removeprefix(f"{folder}/")
    return None
