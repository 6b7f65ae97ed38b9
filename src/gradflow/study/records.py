"""Read the run folders of a study."""

import logging
from pathlib import Path

from gradflow.errors import ConfigError
from gradflow.runs import folders
from gradflow.runs.record import Record, read_record

log = logging.getLogger(__name__)


def study_runs(study: Path) -> list[Record]:
    """The run.json of every run folder, `<study>/<config>/seed=<n>`, by configuration, then seed.

    What `readable_runs` leaves out is named in a warning; the others still count.
    """
    records, left_out = readable_runs(study)
    for reason in left_out:
        log.warning("left out: %s", reason)
    return records


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
