"""Loggers on top of the run folder's TensorBoard events, which remain the record that studies are read from.

A run that is resumed goes on in the same place without losing or doubling a point: what is logged waits until a
checkpoint is saved or the run is over, so that nothing is sent that a resumed run would log again. A logger that fails,
because a server is away, say, costs the run nothing but its copy of the curves.
"""

import json
import logging
import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from lightning.pytorch.loggers import Logger, WandbLogger

from gradflow.runs import durable
from gradflow.runs.record import State

log = logging.getLogger(__name__)

LOGGERS_FILE = "loggers.json"  # in the run folder: where each logger's run is, and how much of it has been sent


class Described(NamedTuple):
    """What a logger is told about a run: its study, configuration and seed, and all values by dotted key."""

    study: str
    config: str
    seed: int
    hparams: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"seed={self.seed}"


class Row(NamedTuple):
    """Scalars of one step."""

    step: int
    values: dict[str, float]


class FurtherLogger(Logger):
    """Sends rows of scalars, numbered from 0 in the order in which they are logged, somewhere.

    Args:
        folder: the run folder.

    Attributes:
        package: what it needs, and how the extra is called that brings it; None if nothing.
    """

    package: ClassVar[str | None] = None

    def __init__(self, folder: str | Path) -> None:
        super().__init__()
        self._folder = Path(folder)
        self._run: Described | None = None
        self._rows: list[Row] = []
        self._first = 0  # the number of the first of them
        self._has_failed = False

    @classmethod
    def fault(cls, options: Mapping[str, Any]) -> str | None:
        """Why it could not log with these options on this machine, and the remedy; None if it could."""
        return None

    @property
    def name(self) -> str:
        return type(self).__name__

    @property
    def version(self) -> None:
        return None

    @property
    def save_dir(self) -> str:
        return str(self._folder)

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Nothing: `begin` is told all of them."""

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Keep the finite values of a step until they are sent."""
        values = {tag: float(value) for tag, value in metrics.items() if math.isfinite(value)}
        if values:
            self._rows.append(Row(step or 0, values))

    def begin(self, run: Described, rows: int | None) -> None:
        """Before the first row of an attempt.

        Args:
            run: what is logged.
            rows: how many rows the run had logged at the checkpoint from which it is resumed; None from the start.
        """
        self._run, self._first = run, rows or 0
        with self._harmless():
            if rows is None:
                self._forget()
            self._open(run)

    def flush(self) -> int:
        """Send what waits; how many rows there are in all. For a checkpoint, which is saved afterwards."""
        logged = self._first + len(self._rows)
        if not self._rows:
            return logged
        with self._harmless():
            assert self._run is not None
            self._open(self._run)
            there = self._sent()
            self._send(self._rows[max(0, there - self._first) :], first=max(there, self._first))
            self._rows, self._first = [], logged
            self._has_failed = False
        return logged

    def end(self, state: str, *, is_over: bool) -> None:
        """After the last row of an attempt; unless the run is over, what waits will be logged again."""
        if self._run is None:
            return
        if is_over:
            self.flush()
        with self._harmless():
            self._close(state)

    @abstractmethod
    def _open(self, run: Described) -> None:
        """Go on with what `LOGGERS_FILE` or the folder says there is, or begin; nothing if it is open."""

    @abstractmethod
    def _sent(self) -> int:
        """How many rows are there already: more than at the checkpoint if the process was killed as it was saved."""

    @abstractmethod
    def _send(self, rows: Sequence[Row], *, first: int) -> None:
        """Send rows, the number of the first of which is `first`, and keep how many there are."""

    @abstractmethod
    def _close(self, state: str) -> None:
        """Say how the attempt has ended."""

    def _forget(self) -> None:
        """What an earlier attempt has left is no part of the run, which starts from the beginning."""
        self._keep({})

    def _kept(self) -> dict[str, Any]:
        """What this logger has kept in `LOGGERS_FILE`."""
        return dict(_read(self._folder).get(self.name, {}))

    def _keep(self, entry: Mapping[str, Any]) -> None:
        with durable.replacing(self._folder / LOGGERS_FILE) as file:
            file.write(json.dumps(_read(self._folder) | {self.name: dict(entry)}, indent=2).encode())

    @contextmanager
    def _harmless(self) -> Iterator[None]:
        """An error is told once, and what waits is tried again later; the run goes on."""
        try:
            yield
        except Exception as error:  # whatever a server, a disk or somebody's package raises
            level = logging.DEBUG if self._has_failed else logging.WARNING
            log.log(level, "%s: cannot log (%s); the run goes on, and tries again later", self.name, reason(error))
            self._has_failed = True


def reason(error: Exception) -> str:
    """The first line of what an error says."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def begin(loggers: Sequence[Logger], run: Described, checkpoint: Mapping[str, Any] | None) -> None:
    """Tell every further logger which run begins, or is resumed.

    Args:
        loggers: of any kind.
        run: what they log.
        checkpoint: from which it is resumed; None from the start.
    """
    for one in further(loggers):
        one.begin(run, None if checkpoint is None else checkpoint.get("loggers", {}).get(one.name, 0))


def flush(loggers: Sequence[Logger]) -> dict[str, int]:
    """What a checkpoint keeps: how many rows each further logger has, all of which have been sent."""
    return {one.name: one.flush() for one in further(loggers)}


def end(loggers: Sequence[Logger], state: str, *, is_over: bool) -> None:
    """Tell every further logger how the attempt has ended, and Lightning's to write what they have kept back."""
    for one in loggers:
        if isinstance(one, FurtherLogger):
            one.end(state, is_over=is_over)
            continue
        one.finalize("success" if state == State.FINISHED else "failed")
        if isinstance(one, WandbLogger):  # whose next run in this process would go on with this one
            one.experiment.finish()


def further(loggers: Sequence[Logger]) -> list[FurtherLogger]:
    return [one for one in loggers if isinstance(one, FurtherLogger)]


def _read(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / LOGGERS_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
