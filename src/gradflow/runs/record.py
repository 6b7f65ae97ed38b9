"""run.json, the authoritative record of a run: identity, state, metrics, error, provenance."""

import functools
import json
import math
import reprlib
import time
import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NotRequired

from typing_extensions import TypedDict  # typing's own, before Python 3.12, does not tell pydantic what is required

from gradflow.errors import ConfigError
from gradflow.runs import durable, folders, version_1

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Resampled = Literal["split", "validation"] | None


class State(StrEnum):
    """How far a run has got; docs/run_states.md says what the same command does with it."""

    PLANNED = "planned"
    RUNNING = "running"  # or killed, if no process holds its folder
    FINISHED = "finished"  # all epochs are trained and tested, or as many as early stopping wanted
    DIVERGED = "diverged"  # a loss or a gradient was not finite: a result
    FAILED = "failed"  # something raised
    INTERRUPTED = "interrupted"  # by Ctrl-C or another signal
    CUT_SHORT = "cut_short"  # by a limit that was asked for, `Record.cut_short_by`


# The version of the rule by which runs are the same (`runs.identity`, `runs.content`); records of version 1 do not say.
IDENTITY = 2
DONE = (State.FINISHED, State.DIVERGED)  # nothing is left to train
ERROR_LINES = 20  # last lines of a traceback that are kept


class ErrorEntry(TypedDict):
    """What a record keeps of an error: the type's name, the message, the traceback's last lines."""

    type: str
    message: str
    traceback: list[str]
    may_pass: NotRequired[bool]  # the next attempt goes on from the last complete epoch; if not said, it does not


class StartedFrom(TypedDict):
    """The shorter run from a copy of which a longer one started."""

    folder: str  # `<config>/seed=<n>`, in the same study
    epoch: int  # the last one copied
    provenance: dict[str, Any]  # of the shorter run


class EventsEntry(TypedDict):
    """What a record says of an event file: how long it is, and the CRC-32C of its content in hexadecimal."""

    bytes: int
    crc32c: str


class Record(TypedDict):
    """run.json; what is known only after the first attempt has begun is None until then."""

    state: str  # a `State`
    study: str  # name of the study's folder
    config: str  # name of the configuration's folder in it
    axes: dict[str, Any]  # what distinguishes the configuration from the others in its study
    activation: str | None  # its label; None for a module of the user's own that takes none
    blocks: int | None  # hidden blocks; None for a model of fixed size
    seed: int
    lr: float | None  # the initial learning rate
    identity: int  # the version of the rule that says which runs are the same, `IDENTITY`
    config_hash: str  # SHA-256 of what counts of the resolved configuration
    content: dict[str, str]  # SHA-256 of each data file and each piece of the user's own code, by the key that names it
    length: dict[str, Any] | None  # the values that say how long to train, and those that follow them, by key
    lengthless_hash: str | None  # SHA-256 of what runs of other lengths share with this one
    overrides: list[str]  # of the command line that planned the run
    headline: str  # tag of the metric that tables show
    selected_on: str  # `validation`, or `test` where the best epoch is chosen on the test data
    resampled: Resampled  # what follows the seed: `split`, `validation` where the test set is fixed, or nothing
    declared_metrics: list[dict[str, Any]]  # those that monitors add to the package's own, as `Metric.as_entry`
    attempts: int
    metrics: dict[str, float | None]  # final values by tag; None for values that are not finite
    error: ErrorEntry | None
    cut_short_by: str | None  # KEY=VALUE that ended it before its last epoch or left out batches
    started_from: StartedFrom | None
    started: str | None  # UTC, ISO 8601: the first attempt
    finished: str | None  # the end of the last attempt
    duration_s: float | None  # of all attempts together
    provenance: dict[str, Any] | None  # versions, device, command
    parameters: int | None  # how many are trained
    constant_loss: float | None  # the mean loss of the best constant prediction
    majority_share: float | None  # the accuracy of always answering the largest class; None for regression
    sigmoid_like: bool | None  # whether low slopes are saturation
    # By name, of a run that has ended; empty without a logger, None in records of before there was this entry.
    events: dict[str, EventsEntry] | None


# What no version left out; without it a file is no record.
_NEEDED = ("state", "study", "config", "axes", "activation", "seed", "headline", "metrics")


def now() -> str:
    """UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def planned_record(
    *,
    study: str,
    config: str,
    config_hash: str,
    content: Mapping[str, str] | None = None,
    length: Mapping[str, Any] | None = None,
    lengthless_hash: str | None = None,
    axes: Mapping[str, Any],
    seed: int,
    lr: float | None = None,
    overrides: Sequence[str] = (),
    headline: str,
    selected_on: str = "validation",
    resampled: Resampled = None,
    declared_metrics: Sequence[Mapping[str, Any]] = (),
) -> Record:
    """The record of a run that has yet to start; arguments as in `Record`."""
    return {
        "state": State.PLANNED,
        "study": study,
        "config": config,
        "axes": dict(axes),
        "activation": axes.get("activation"),
        "blocks": axes.get("blocks"),
        "seed": seed,
        "lr": lr,
        "identity": IDENTITY,
        "config_hash": config_hash,
        "content": dict(content or {}),
        "length": None if length is None else dict(length),
        "lengthless_hash": lengthless_hash,
        "overrides": list(overrides),
        "headline": headline,
        "selected_on": selected_on,
        "resampled": resampled,
        "declared_metrics": [dict(entry) for entry in declared_metrics],
        "attempts": 0,
        "metrics": {},
        "error": None,
        "cut_short_by": None,
        "started_from": None,
        "started": None,
        "finished": None,
        "duration_s": None,
        "provenance": None,
        "parameters": None,
        "constant_loss": None,
        "majority_share": None,
        "sigmoid_like": None,
        "events": None,
    }


def read_record(folder: Path) -> Record | None:
    """The record of a run folder; None if there is none.

    Raises:
        ConfigError: if the file is damaged: not JSON, or not a run's record.
    """
    file = folder / folders.RUN_FILE
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as error:  # of JSON or of the text's encoding
        raise ConfigError(f"{file}: damaged ({error}); move that run folder away") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{file}: damaged (not a JSON object); move that run folder away")
    missing = [f"no {name}" for name in _NEEDED if name not in content]
    # Older versions did not write every entry.
    blank = planned_record(study="", config="", config_hash="", axes={"activation": ""}, seed=0, headline="")
    record: Record = {**blank, "identity": 1, **content}
    if problems := missing or _mistyped(record):
        raise ConfigError(f"{file}: damaged ({problems[0]}); move that run folder away")
    return _of_today(record) if record["identity"] == 1 else record


def _of_today(record: Record) -> Record:
    """A record of version 1 under today's tags."""
    found = version_1.upgraded(record["metrics"], version_1.gain_of_values, overrides=record["overrides"])
    return record | {"metrics": found, "headline": version_1.tag_of_today(record["headline"])}


def _mistyped(record: Record) -> list[str]:
    """Entries that are not what `Record` says."""
    from pydantic import ValidationError  # which the monitors alone do without

    try:
        _types().validate_python(record, strict=True)
    except ValidationError as error:
        names = dict.fromkeys(str(problem["loc"][0]) for problem in error.errors(include_url=False))
        return [f"{name} is {reprlib.repr(record.get(name))}" for name in names]
    return [] if record["state"] in list(State) else [f"state is {record['state']!r}"]


@functools.cache
def _types() -> "TypeAdapter[Record]":
    from pydantic import TypeAdapter

    return TypeAdapter(Record)


def write_record(folder: Path, record: Record) -> None:
    """Replace the record atomically: readers, even after a power cut, see either the old record or the new one.

    Raises:
        CannotWrite: if it cannot be written; then the old one stays.
    """
    durable.make_folder(folder)
    with durable.replacing(folder / folders.RUN_FILE) as file:
        file.write(json.dumps(_without_nan(record), indent=2).encode())


def error_entry(exception: BaseException, *, may_pass: bool = False) -> ErrorEntry:
    """What a record keeps of an error."""
    lines = "".join(traceback.format_exception(exception)).splitlines()
    return {
        "type": type(exception).__name__,
        "message": str(exception),
        "traceback": lines[-ERROR_LINES:],
        "may_pass": may_pass,
    }


class Clock:
    """When a run started, and how long it has taken.

    Args:
        after: seconds that earlier attempts took.
    """

    def __init__(self, *, after: float | None = None) -> None:
        self.started = now()
        self._start = time.perf_counter() - (after or 0.0)

    @property
    def seconds(self) -> float:
        """Total seconds of all attempts so far, without the time between them."""
        return round(time.perf_counter() - self._start, 3)


def _without_nan(value: Any) -> Any:
    """JSON has neither NaN nor infinity: both become null."""
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
