"""The runs that a study already has: whether others may join them, and what becomes of their records."""

import itertools
import logging
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from gradflow.errors import ConfigError
from gradflow.runs import content, folders, integrity
from gradflow.runs.record import IDENTITY, Record, State, read_record, write_record
from gradflow.runs.states import is_over
from gradflow.study.records import readable_runs

log = logging.getLogger(__name__)

NO_RESULT = (State.PLANNED, State.FAILED)  # of other content these start from the beginning


def is_done(folder: Path) -> bool:
    """Whether nothing is left to train there: the run has ended, and its curves are whole."""
    record = read_record(folder)
    return record is not None and is_over(record) and integrity.damaged_curves(folder, record) is None


def check(wanted: Mapping[Path, Record], *, replaced: Collection[Path]) -> None:
    """Refuse runs that may not share a study with those that are there.

    Args:
        wanted: run folder -> the record that a new run would get.
        replaced: folders whose runs are trained again; what they hold does not matter.

    Raises:
        ConfigError: naming the run that is there.
    """
    for study in dict.fromkeys(folder.parent.parent for folder in wanted):
        contents = {folder.parent: record for folder, record in wanted.items() if folder.parent.parent == study}
        records, _ = readable_runs(study)
        for record in records:
            folder = study / record["config"] / folders.seed_folder(record["seed"])
            if folder not in replaced:
                _check_version(folder, record)
                if folder.parent in contents and record["state"] not in NO_RESULT:
                    _check_content(folder, record, contents[folder.parent])
    for folder, record in wanted.items():
        if folder not in replaced:
            check_same(folder, record, read_record(folder))


def check_same(folder: Path, record: Record, other: Record | None) -> None:
    """Refuse a folder whose run has another configuration."""
    if other is not None and other["config_hash"] != record["config_hash"]:
        raise ConfigError(
            f"study={folder.parts[-3]}: {folder} holds a run of another configuration with the same name; use another "
            "study or output_dir, or move that folder away"
        )


def _check_version(folder: Path, record: Record) -> None:
    if record["identity"] != IDENTITY:
        name = folder.parts[-3]
        raise ConfigError(
            f"study={name}: {folder} is of another version of gradflow, which told runs apart by another rule "
            f"(identity {record['identity']}, now {IDENTITY}); the study can be read but not added to; use another, "
            f"e.g. study={name}_{IDENTITY}"
        )


def _check_content(folder: Path, there: Record, wanted: Record) -> None:
    if changed := content.changed(there["content"], wanted["content"]):
        typed = [one.lstrip("+") for one in wanted["overrides"] if one.lstrip("+").startswith(f"{changed[0]}=")]
        raise ConfigError(
            f"{(typed or changed)[0]}: what it names has changed since {folder} was trained, and seeds of different "
            "content are never averaged; use another study, or rerun=true with every seed of this configuration"
        )


def write(folder: Path, record: Record, *, replace: bool) -> Record:
    """Write the record of a new run; of a run that is there, only the headline changes and how it is composed.

    A run that has ended and whose curves are not whole is set aside, and trained again.

    Returns:
        The record that is there now.
    """
    there = None if replace else read_record(folder)
    if there is not None and (fault := integrity.damaged_curves(folder, there)) is not None:
        log.warning("%s: its curves are not whole (%s); it is kept under another name and trained again", folder, fault)
        there, replace = None, True
    if replace and folder.exists():
        _set_aside(folder)
    if there is None or (there["state"] in NO_RESULT and there["content"] != record["content"]):
        write_record(folder, record)
        return record
    if there["state"] == State.RUNNING:
        return there
    changed = there | {"headline": record["headline"]}
    if not is_over(there):
        changed |= {"overrides": record["overrides"]}  # what does not count may be new, such as a monitor
    if changed != there:
        write_record(folder, changed)
    return changed


def lacking(there: Record, wanted: Record) -> list[str]:
    """The metrics that are asked for and that a finished run does not have, such as those of a monitor added later."""
    if there["state"] != State.FINISHED:
        return []
    tags = [wanted["headline"], *(entry["tag"] for entry in wanted["declared_metrics"])]
    found = [*there["metrics"], *(f"{tag.rpartition('/')[0]}/" for tag in there["metrics"])]
    return [tag for tag in dict.fromkeys(tags) if tag not in found]


def _set_aside(folder: Path) -> None:
    """Keep the folder under a dated name, `replaced=<UTC>,seed=<n>`, which two commands in one second do not share."""
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S")
    numbered = (f"{moment}~{number}" if number > 1 else moment for number in itertools.count(1))
    places = (folder.with_name(f"replaced={name},{folder.name}") for name in numbered)
    try:
        with FileLock(folder / folders.LOCK_FILE, timeout=1):
            folder.rename(next(place for place in places if not place.exists()))
    except Timeout as error:
        raise ConfigError(f"{folder} is being trained by another process; wait for it") from error
