"""Read the run folders of a study."""

import json
import logging
from pathlib import Path
from typing import Any

from gradflow.runs import folders
from gradflow.runs.record import read_record

log = logging.getLogger(__name__)


def study_runs(study: Path) -> list[dict[str, Any]]:
    """The run.json of every run folder, `<study>/<config>/seed=<n>`, by configuration, then seed.

    One that is not whole (a full disk, say) is left out with a warning; the others still count.
    """
    records = []
    for file in study.glob(f"*/seed=*/{folders.RUN_FILE}"):
        try:
            record = read_record(file.parent)
        except json.JSONDecodeError as error:
            log.warning("%s is not whole and left out: %s", file, error)
            continue
        if record is not None:
            records.append(record)
    return sorted(records, key=lambda record: (record["config"], record["seed"]))
