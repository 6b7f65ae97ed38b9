"""run.json, the truth about a run: identity, state, metrics, error, provenance."""

import json
import math
import os
import time
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from gradflow.errors import ConfigError
from gradflow.runs import folders


class State(StrEnum):
    """How far a run is."""

    PLANNED = "planned"
    RUNNING = "running"
    FINISHED = "finished"
    DIVERGED = "diverged"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


Record = dict[str, Any]
DONE = (State.FINISHED, State.DIVERGED)  # there is nothing left to train
ERROR_LINES = 20  # last lines of a traceback that are kept


def now() -> str:
    """UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def read_record(folder: Path) -> dict[str, Any] | None:
    """The record of a run folder; None where there is none.

    Raises:
        ConfigError: if the file is not JSON.
    """
    file = folder / folders.RUN_FILE
    try:
        return json.loads(file.read_text())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except json.JSONDecodeError as error:
        raise ConfigError(f"{file}: damaged ({error}); move that run folder away") from error


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Replace the record in one step: a reader, or a crash, sees the old one or the new one and nothing between."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{folders.RUN_FILE}.{os.getpid()}"
    with temporary.open("w") as file:
        json.dump(_without_nan(record), file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / folders.RUN_FILE)


def error_entry(exception: BaseException) -> dict[str, Any]:
    """What a record keeps of an error."""
    lines = "".join(traceback.format_exception(exception)).splitlines()
    return {"type": type(exception).__name__, "message": str(exception), "traceback": lines[-ERROR_LINES:]}


def planned_record(
    *, study: str, config: str, config_hash: str, axes: Mapping[str, Any], seed: int, **more: Any
) -> dict[str, Any]:
    """The record of a run that is yet to start.

    Args:
        study: name of the study's folder.
        config: name of the configuration's folder in it.
        config_hash: of the resolved configuration.
        axes: what tells this configuration from the others of its study.
        seed: of the run.
        more: further entries, e.g. `overrides`, `lr`, `headline`, `selected_on`.
    """
    return {
        "state": State.PLANNED,
        "study": study,
        "config": config,
        "axes": dict(axes),
        "activation": axes.get("activation"),
        "blocks": axes.get("blocks"),
        "seed": seed,
        "config_hash": config_hash,
        "attempts": 0,
        "metrics": {},
        "error": None,
        "started": None,
        "finished": None,
        "duration_s": None,
        "provenance": None,
        **more,
    }


class Clock:
    """When a run started, and how long it has taken.

    Args:
        after: seconds that earlier attempts took.
    """

    def __init__(self, *, after: float | None = None) -> None:
        self.started = now()
        self._start = time.perf_counter() - (after or 0.0)

    def stop(self) -> dict[str, Any]:
        return {"finished": now(), "duration_s": round(time.perf_counter() - self._start, 3)}


def _without_nan(value: Any) -> Any:
    """JSON has no NaN and no infinity: null stands for what is not defined."""
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
