"""Read the run folders of a study: records, and the curves of runs that have ended."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

from gradflow.errors import ConfigError
from gradflow.runs import folders, integrity
from gradflow.runs.events import Curve, curves
from gradflow.runs.record import DONE, Record, read_record
from gradflow.study.configurations import identities
from gradflow.study.treatments import with_treatments

log = logging.getLogger(__name__)

Curves = dict[str, Curve]  # of a run, by tag
EndedRuns = Iterator[tuple[str, list[tuple[Record, Curves]]]]  # by configuration


def study_runs(study: Path) -> list[Record]:
    """The run.json of every run folder, `<study>/<config>/seed=<n>`, by configuration, then seed.

    Where there are no activations, the axis that is compared stands in their place: see `study.treatments`.

    What `readable_runs` leaves out is named in a warning, and so are runs whose event files are missing or short; the
    scores of these, which are in run.json, still count.
    """
    records, left_out = readable_runs(study)
    for reason in left_out:
        log.warning("left out: %s", reason)
    for record in records:
        folder = run_folder(study, record)
        if (fault := integrity.missing_curves(folder, record)) is not None:
            log.warning("%s", integrity.said(folder, record, fault))
    return with_treatments(records)


def run_folder(study: Path, record: Record) -> Path:
    """The folder of a run, wherever the study lies."""
    return study / record["config"] / folders.seed_folder(record["seed"])


def whole_curves(study: Path, record: Record) -> Curves | None:
    """`curves_if_whole` of a run of a study."""
    return curves_if_whole(run_folder(study, record), record)


def curves_if_whole(folder: Path, record: Record) -> Curves | None:
    """Every scalar that a run has recorded, by tag; None if it has ended and its event files are not whole.

    `study_runs` has told those that are missing or short; those that turn out to be damaged are named here.
    """
    if integrity.missing_curves(folder, record) is not None:
        return None
    try:
        return curves(folder)
    except ConfigError as error:
        log.warning("%s", integrity.said(folder, record, str(error).removeprefix(f"{folder}/")))
        return None


def ended_runs(study: Path, records: Sequence[Record]) -> EndedRuns:
    """Every configuration with its runs that have finished or diverged, by seed, and their curves, if these are whole.

    The curves are read when a configuration's turn has come, so whoever lets go of them before the next one has those
    of one configuration in memory.
    """
    for config in identities(records):
        chosen = [record for record in records if record["config"] == config and record["state"] in DONE]
        runs = sorted(chosen, key=lambda record: record["seed"])
        yield config, [(run, found) for run in runs if (found := whole_curves(study, run)) is not None]


def readable_runs(study: Path) -> tuple[list[Record], list[str]]:
    """The same without warnings, and why the other folders are left out.

    Left out are damaged files (after a full disk, say), and copies of a run folder or of a configuration's folder,
    which would count as further seeds: a run lies where its run.json says. A study may have been moved or renamed.
    """
    records, left_out = [], []
    for file in sorted(study.glob(f"*/{folders.seed_folder('*')}/{folders.RUN_FILE}")):
        try:
            record = read_record(file.parent)
        except ConfigError as error:
            left_out.append(str(error))
            continue
        if record is None:
            continue
        said = Path(record["config"], folders.seed_folder(record["seed"]))
        if file.parent == study / said:
            records.append(record)
        else:
            left_out.append(f"{file.parent}: its {folders.RUN_FILE} is that of {said}; move this copy out of the study")
    return sorted(records, key=lambda record: (record["config"], record["seed"])), left_out


def study_with_runs(study: Path) -> list[Record]:
    """`study_runs` of a folder that must be a study.

    Raises:
        ConfigError: if the folder holds no runs.
    """
    records = study_runs(study)
    if not records:
        raise ConfigError(f"{study}: no runs here; a study is a folder such as outputs/digits_conv")
    return records
