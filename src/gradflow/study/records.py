"""Read the run folders of a study."""

import logging
from pathlib import Path

from gradflow.errors import ConfigError
from gradflow.runs import folders
from gradflow.runs.record import Record, read_record

log = logging.getLogger(__name__)


def study_runs(study: Path) -> list[Record]:
    """The run.json of every run folder, `<study>/<config>/seed=<n>`, by configuration, then seed.

    A damaged file (after a full disk, say) is left out with a warning; the others still count.
    """
    records = []
    for file in sorted(study.glob(f"*/{folders.seed_folder('*')}/{folders.RUN_FILE}")):
        try:
            record = read_record(file.parent)
        except ConfigError as error:
            log.warning("left out: %s", error)
            continue
        if record is not None:
            records.append(record)
    return sorted(records, key=lambda record: (record["config"], record["seed"]))


def study_with_runs(study: Path) -> list[Record]:
    """`study_runs` of a folder that must be a study.

    Raises:
        ConfigError: if the folder holds no runs.
    """
    records = study_runs(study)
    if not records:
        raise ConfigError(f"{study}: no runs here; a study is a folder such as outputs/digits_conv")
    return records
