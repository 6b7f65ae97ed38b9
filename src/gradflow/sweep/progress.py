"""How far the runs of a sweep are, as their folders show it, whichever launcher trains them, and for how long still."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradflow.errors import ConfigError
from gradflow.runs import folders
from gradflow.runs.progress import Progress, read_progress
from gradflow.runs.record import DONE, Record, State, read_record
from gradflow.runs.states import is_over
from gradflow.study.configurations import activation_of
from gradflow.sweep.time_left import Pace, Paces

if TYPE_CHECKING:
    from gradflow.sweep.plan import PlannedRun

_EPOCHS = "trainer.max_epochs"  # among the values that say how long to train


@dataclass(frozen=True)
class Running:
    """A run that is being trained.

    Attributes:
        number: in the sweep, counted from 1.
        name: what tells it from the sweep's other runs, part by part: `("relu", "blocks=4", "seed=0")`.
        progress: None until it has begun to train.
    """

    number: int
    name: tuple[str, ...]
    progress: Progress | None


@dataclass(frozen=True)
class Standing:
    """How far a sweep is.

    Attributes:
        of: how many runs were to be trained.
        over: how many have ended.
        failed: how many of these because something raised.
        share: of the expected work, in [0, 1].
        seconds_left: expected; None until an epoch is known to take so and so long.
        ended: (number, name, run.json) of the runs that have ended since the last look.
    """

    of: int
    over: int
    failed: int
    share: float
    seconds_left: float | None
    running: tuple[Running, ...]
    ended: tuple[tuple[int, tuple[str, ...], Record], ...]


class _Followed:
    """One run of the sweep."""

    def __init__(self, run: "PlannedRun", number: int) -> None:
        self.folder, self.number = run.folder, number
        self.record = _record(run.folder)
        self._changed_ns = _changed_ns(run.folder)
        self._attempts = self._told = self.record["attempts"] if self.record else 0
        self.progress: Progress | None = None
        self.first: tuple[float, float] | None = None  # when it was seen to train, and the epoch it then was in
        self._now = 0.0

    def look(self, now: float) -> None:
        """Read again what has changed."""
        if self.record is not None and self.record["state"] in DONE:
            return
        if (changed := _changed_ns(self.folder)) != self._changed_ns:
            self._changed_ns = changed
            self.record = _record(self.folder) or self.record
        if self.is_running and (progress := read_progress(self.folder)) is not None:
            self.progress = progress
            self.first = self.first or (now, progress.epoch)
        self._now = now

    @property
    def _has_begun(self) -> bool:
        return self.record is not None and self.record["attempts"] > self._attempts

    @property
    def is_running(self) -> bool:
        return self.record is not None and self._has_begun and self.record["state"] == State.RUNNING

    @property
    def is_over(self) -> bool:
        if self.record is None:
            return False
        goes_on = (State.RUNNING, State.PLANNED, State.INTERRUPTED)  # the last: again, or with the next command
        return is_over(self.record) or (self._has_begun and self.record["state"] not in goes_on)

    @property
    def has_failed(self) -> bool:
        return self.is_over and self.record is not None and self.record["state"] == State.FAILED

    def has_ended_anew(self) -> bool:
        """Whether an attempt has ended that was not asked for before."""
        if self.record is None or not self.is_over or self.record["attempts"] <= self._told:
            return False
        self._told = self.record["attempts"]
        return True

    @property
    def epochs(self) -> float:
        """How many it takes; 1 where nobody knows."""
        known = self.progress.epochs if self.progress else None
        planned = (self.record["length"] or {}).get(_EPOCHS) if self.record else None
        return float(known or (planned if isinstance(planned, int) and planned > 0 else 1))

    @property
    def share(self) -> float:
        """Of its epochs that are done."""
        if self.record is not None and self.record["state"] == State.FINISHED:
            return 1.0
        return min(1.0, self.progress.epoch / self.epochs) if self.progress and self.progress.epochs else 0.0

    @property
    def share_in_the_end(self) -> float:
        """All of them, unless it has ended before."""
        return self.share if self.is_over else 1.0

    @property
    def first_share(self) -> float:
        """What was done before this sweep."""
        return min(self.share, self.first[1] / self.epochs) if self.first else 0.0

    @property
    def pace(self) -> Pace | None:
        """Known once it has finished, or an epoch is done."""
        if self.record is None:
            return None
        config, blocks = str(self.folder.parent), self.record["blocks"]
        if self.record["state"] == State.FINISHED:
            return Pace(config, blocks, (self.record["duration_s"] or 0.0) / self.epochs)
        if self.progress is None or self.first is None or self.progress.epoch < self.first[1] + 1:
            return None
        return Pace(config, blocks, (self._now - self.first[0]) / (self.progress.epoch - self.first[1]))


class SweepProgress:
    """Looks at the folders of a sweep's runs.

    Args:
        runs: all that the command asks for; those that are done already say how long an epoch takes.
        todo: those that are to be trained.
    """

    def __init__(self, runs: "Sequence[PlannedRun]", todo: "Sequence[PlannedRun]") -> None:
        self._todo = [_Followed(run, number) for number, run in enumerate(todo, start=1)]
        others = {run.folder for run in runs} - {run.folder for run in todo}
        self._done = [_Followed(run, 0) for run in runs if run.folder in others]
        self._names = names([(one.folder, one.record) for one in (*self._done, *self._todo) if one.record])
        self._begun_s: float | None = None

    def look(self, now: float) -> Standing:
        """How far the sweep is.

        Args:
            now: in seconds, of a clock that only goes on.
        """
        for one in self._todo:
            one.look(now)
        running = [one for one in self._todo if one.is_running]
        if self._begun_s is None and (running or any(one.is_over for one in self._todo)):
            self._begun_s = now
        ended = [one for one in self._todo if one.has_ended_anew()]
        share, seconds_left = self._work(now, running)
        return Standing(
            of=len(self._todo),
            over=sum(one.is_over for one in self._todo),
            failed=sum(one.has_failed for one in self._todo),
            share=share,
            seconds_left=seconds_left,
            running=tuple(Running(one.number, self._names.get(one.folder, ()), one.progress) for one in running),
            ended=tuple((one.number, self._names.get(one.folder, ()), one.record) for one in ended if one.record),
        )

    def _work(self, now: float, running: Sequence[_Followed]) -> tuple[float, float | None]:
        """The share of the expected work that is done, and the seconds that the rest takes at the pace so far."""
        measured = [pace for one in (*self._done, *self._todo) if (pace := one.pace) is not None]
        paces = Paces(measured)
        costs = {
            one.folder: one.epochs * paces.of(str(one.folder.parent), one.record["blocks"] if one.record else None)
            for one in self._todo
        }
        total = sum(costs[one.folder] * (one.share_in_the_end - one.first_share) for one in self._todo)
        done = sum(costs[one.folder] * (one.share - one.first_share) for one in self._todo)
        left = total - done
        longest = max((costs[one.folder] * (1 - one.share) for one in running), default=0.0)
        if total <= 0:
            return 1.0, None
        if not measured or done <= 0 or self._begun_s is None or now <= self._begun_s:
            return done / total, None
        return done / total, max(left * (now - self._begun_s) / done, longest)


def names(runs: Sequence[tuple[Path, Record]]) -> dict[Path, tuple[str, ...]]:
    """Run folder -> activation, blocks, and whatever else differs among these runs."""
    axes = {folder: _axes(record) for folder, record in runs}
    keys = dict.fromkeys(key for one in axes.values() for key in one)
    always = ("activation", "blocks")
    shown = [key for key in keys if key in always or len({str(one.get(key)) for one in axes.values()}) > 1]
    return {
        folder: tuple(str(one[key]) if key == "activation" else f"{key}={one[key]}" for key in shown if key in one)
        for folder, one in axes.items()
    }


def _axes(record: Record) -> Mapping[str, Any]:
    """The study where there are several, the axes, the seed; an activation's parameters belong to its name."""
    own = {key: value for key, value in record["axes"].items() if not key.startswith("activation.")}
    if "activation" in own:
        own["activation"] = activation_of(record["axes"])
    return {**own, "study": record["study"], "seed": record["seed"]}


def _changed_ns(folder: Path) -> int:
    """When run.json was last written; 0 if it is not there."""
    with suppress(OSError):
        return (folder / folders.RUN_FILE).stat().st_mtime_ns
    return 0


def _record(folder: Path) -> Record | None:
    """run.json, if it can be read just now."""
    with suppress(ConfigError, OSError):
        return read_record(folder)
    return None
