"""A study's progress: runs by state, errors, expected time left."""

import fcntl
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from rich.console import Group, RenderableType
from rich.text import Text

from gradflow.runs import folders
from gradflow.runs.record import Record, State
from gradflow.runs.states import is_over, why
from gradflow.screen_table import Column, ScreenTable
from gradflow.terminal import sentence

STATES = (
    State.FINISHED,
    State.RUNNING,
    State.INTERRUPTED,
    State.FAILED,
    State.CUT_SHORT,
    State.DIVERGED,
    State.PLANNED,
)
_NAMED = (State.FAILED, State.CUT_SHORT)  # run by run, with the reason


def true_state(study: Path, record: Record) -> str:
    """`state_in` the folder of a run of a study."""
    return state_in(study / record["config"] / folders.seed_folder(record["seed"]), record)


def state_in(folder: Path, record: Record) -> str:
    """The state of a run; if it says `running` but no process holds its folder, it was killed: `interrupted`."""
    if record["state"] != State.RUNNING:
        return record["state"]
    return State.RUNNING if _is_held(folder / folders.LOCK_FILE) else State.INTERRUPTED


def _is_held(lock: Path) -> bool:
    """Whether a process holds the lock, found out without writing: the study may be somebody else's.

    A lock that may not even be read is believed to be held.
    """
    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except PermissionError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: several may ask at once
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def status_table(study: Path, records: Sequence[Record]) -> RenderableType:
    """Runs of each configuration by state, why runs have failed or are cut short, and the expected time left."""
    states: list[str] = [true_state(study, record) for record in records]
    shown = [str(state) for state in STATES if state in states]
    counts = {record["config"]: Counter[str]() for record in records}
    for record, state in zip(records, states, strict=True):
        counts[record["config"]][state] += 1
    columns = [Column("configuration"), *(Column(state, is_number=True) for state in shown)]
    rows = [[Text(config), *(Text(str(count[state] or "")) for state in shown)] for config, count in counts.items()]
    table = ScreenTable(columns, rows)
    totals = ", ".join(f"{states.count(state)} {state}" for state in shown)
    named = [_line_of(record) for record, state in zip(records, states, strict=True) if state in _NAMED]
    return Group(sentence(f"{study}: {totals}{_time_left(records, states)}"), table, *named)


def seconds_left(records: Sequence[Record], states: Sequence[str]) -> float | None:
    """Expected seconds to train the unfinished runs one after the other; None until a run has finished.

    A run is expected to take as long as the average finished run of its configuration or, without one, of the study.
    """
    done: dict[str, list[float]] = {}
    for record, state in zip(records, states, strict=True):
        if state == State.FINISHED:
            done.setdefault(record["config"], []).append(record["duration_s"] or 0.0)
    if not done:
        return None
    average = fmean(duration for durations in done.values() for duration in durations)
    waiting = [record for record in records if not is_over(record)]
    return sum(fmean(done[r["config"]]) if r["config"] in done else average for r in waiting)


def _time_left(records: Sequence[Record], states: Sequence[str]) -> str:
    seconds = seconds_left(records, states)
    if not seconds:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f"; about {minutes} min {rest} s of training left, one run after the other"


def _line_of(record: Record) -> RenderableType:
    run = f"{record['config']}/{folders.seed_folder(record['seed'])}"
    style = "red" if record["state"] == State.FAILED else "yellow"
    return sentence(f"{record['state']}: {run}: {why(record) or 'no error recorded'}", style=style)
