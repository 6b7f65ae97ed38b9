"""The runs that a study already has: whether others may join them, and what becomes of their records."""

import itertools
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gradflow.errors import ConfigError
from gradflow.runs import content, durable, folders, integrity, planned
from gradflow.runs.record import IDENTITY, Record, State, read_record, write_record
from gradflow.runs.states import is_over
from gradflow.study.records import readable_runs
from gradflow.training.folder import lock

log = logging.getLogger(__name__)

_SET_ASIDE = "it is kept under another name and trained again"
NO_RESULT = (State.PLANNED, State.FAILED)  # of other content these start from the beginning


@dataclass(frozen=True)
class Planned:
    """What is to be written into a run's folder.

    Attributes:
        record: run.json of a new run.
        text: the resolved configuration; empty for a run with nothing left to train.
        replace: whether to train again what is there.
        runs_per_job: how many runs the job may have.
    """

    record: Record
    text: str
    replace: bool
    runs_per_job: int


def is_done(folder: Path) -> bool:
    """Whether nothing is left to train there: the run has ended, and its curves are whole."""
    record = read_record(folder)
    return record is not None and is_over(record) and integrity.damaged_curves(folder, record) is None


def check(wanted: Mapping[Path, Planned]) -> None:
    """Refuse runs that may not share a study with those that are there.

    Args:
        wanted: run folder -> the run that is to be there. What a replaced run holds does not matter.

    Raises:
        ConfigError: naming the run that is there.
    """
    replaced = {folder for folder, one in wanted.items() if one.replace}
    there: dict[Path, Record] = {}
    for study in dict.fromkeys(folder.parent.parent for folder in wanted):
        contents = {folder.parent: one.record for folder, one in wanted.items() if folder.parent.parent == study}
        for record in readable_runs(study)[0]:
            folder = study / record["config"] / folders.seed_folder(record["seed"])
            there[folder] = record
            if folder not in replaced:
                _check_version(folder, record)
                if folder.parent in contents and record["state"] not in NO_RESULT:
                    _check_content(folder, record, contents[folder.parent])
    for folder, one in wanted.items():
        if not one.replace:
            check_same(folder, one.record, there.get(folder) or read_record(folder))


def check_same(folder: Path, record: Record, other: Record | None) -> None:
    """Refuse a folder whose run has another configuration."""
    if other is not None and other["config_hash"] != record["config_hash"]:
        raise ConfigError(
            f"study={folder.parts[-3]}: {folder} holds a run of another configuration with the same name; use another "
            "study or output_dir, or move that folder away"
        )


def check_alike(folder: Path, record: Record, other: Record) -> None:
    """Refuse two runs of one command that would share a folder, such as those of presets in one `study=`."""
    if record["config_hash"] != other["config_hash"]:
        raise ConfigError(
            f"study={record['study']}: two configurations of this command would share {folder}; train them by commands "
            "of their own, each with another study="
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


def write(folder: Path, new: Planned) -> Record:
    """Write the configuration and the record of a new run, in this order, so that no record lacks its configuration.

    Of a run that is there, only the headline changes and, as long as it is unfinished, how it is composed: what does
    not count may be new, such as a monitor. A run that another process is training is left alone.

    A run that has ended and whose curves are not whole is set aside, and trained again. Where there is no text, the
    command has just found that they are.

    Returns:
        The record that is there now.

    Raises:
        ConfigError: if the run was done when the command looked, and is no longer.
    """
    before = None if new.replace else read_record(folder)
    if before is not None and is_over(before):
        if new.text and (fault := integrity.damaged_curves(folder, before)) is not None:
            log.warning("%s: its curves are not whole (%s); %s", folder, fault, _SET_ASIDE)
            _set_aside(folder)
        elif _record(before, new.record) == before:
            return before
    elif new.replace and folder.exists():
        _set_aside(folder)
    durable.make_folder(folder)
    with lock(folder) as mine:
        there = read_record(folder)
        if there is not None and not mine:
            return there
        record = _record(there, new.record)
        if not is_over(record):
            if not new.text:
                raise ConfigError(f"{folder}: another command has replaced this run meanwhile; give the command again")
            planned.write_planned(folder, new.text, record["overrides"])
        if record != there:
            write_record(folder, record)
        return record


def _record(there: Record | None, wanted: Record) -> Record:
    """The record of a run, whatever is there."""
    if there is None or (there["state"] in NO_RESULT and there["content"] != wanted["content"]):
        return wanted
    changed = there | {"headline": wanted["headline"]}
    return changed if is_over(there) else changed | {"overrides": wanted["overrides"]}


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
    with lock(folder) as mine:
        if not mine:
            raise ConfigError(f"{folder} is being trained by another process; wait for it")
        folder.rename(next(place for place in places if not place.exists()))
