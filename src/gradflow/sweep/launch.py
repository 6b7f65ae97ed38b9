"""Hand runs to the launcher: what a killed process leaves is put right, and the others are launched again."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from gradflow import terminal
from gradflow.errors import RunsFailed
from gradflow.runs.progress import remove_progress
from gradflow.runs.record import ErrorEntry, State, error_entry, now, read_record, write_record
from gradflow.signals import Signalled, kill_children
from gradflow.sweep.plan import PlannedRun
from gradflow.training.folder import lock

ENDS_WITHIN_S = 2.0  # a process that has been killed lets go of its run by then
UNFINISHED = (State.PLANNED, State.INTERRUPTED)
KILLED = "its process was killed, perhaps for lack of memory; the same command goes on with it"

Launch = Callable[[Sequence[PlannedRun]], list[Any]]


def outlive(runs: Sequence[PlannedRun], launch: Launch) -> list[Any]:
    """Launch the runs; where a worker is killed, and with it the pool, launch again what is left.

    Args:
        runs: to train.
        launch: hands runs to the launcher and returns what that returns.

    Raises:
        RunsFailed: if a process was lost and a run with it.
    """
    try:
        returns, is_lost = _launched(runs, launch)
    except Signalled:
        kill_children()  # loky fails to if a second Ctrl-C hits the program by which it looks for them
        raise
    if is_lost:
        settle(runs)
        check_all_ended(runs)
    return returns


def _launched(runs: Sequence[PlannedRun], launch: Launch) -> tuple[list[Any], bool]:
    """What the launcher returns, and whether a process was lost.

    A pool does not say whose worker was killed, and kills the others. So the runs that were being trained then go on
    one by one at the end: which is killed again has only itself to blame, and stays as it is.
    """
    returns: list[Any] = []
    waiting, alone, is_lost = list(runs), list[PlannedRun](), False
    while waiting:
        attempts = {run.folder: _attempts(run) for run in waiting}
        try:
            returns += launch(waiting)
            break
        except BrokenProcessPool:
            settle(waiting)
        except Exception as error:
            if not _is_of_a_lost_job(error):
                raise
            what = " ".join(str(error).splitlines()[:2])  # which job, and its state
            terminal.say(f"{what}; jobs that are still queued or running go on", style="yellow")
            is_lost = True
            break
        left = [run for run in waiting if _state(run) in UNFINISHED]
        hit = [run for run in left if _attempts(run) > attempts[run.folder]]
        if not hit and len(left) == len(waiting):
            is_lost = True  # workers are killed before they begin with a run
            break
        count = "1 run is" if len(left) == 1 else f"{len(left)} runs are"
        terminal.say(f"a worker was killed; {count} launched again", style="yellow")
        alone += hit
        waiting = [run for run in left if run not in hit]
    for run in alone:
        try:
            returns += launch([run])
        except BrokenProcessPool:
            is_lost = True
    return returns, is_lost


def settle(runs: Sequence[PlannedRun], *, told: BaseException | None = None) -> None:
    """Mark as interrupted what claims to be running although no process holds it any longer.

    Args:
        runs: some of which may.
        told: the signal that has ended the sweep, and with it their processes, if one has.
    """
    end = time.monotonic() + ENDS_WITHIN_S
    held = list(runs)
    while held:
        held = [run for run in held if not _is_settled(run, told)]
        if not held or time.monotonic() > end:
            return
        time.sleep(0.05)


def _is_settled(run: PlannedRun, told: BaseException | None) -> bool:
    if _state(run) != State.RUNNING:
        return True
    with lock(run.folder, wait_s=0) as mine:
        found = read_record(run.folder) if mine else None
        if found is not None and found["state"] == State.RUNNING:
            killed: ErrorEntry = {"type": "Killed", "message": KILLED, "traceback": []}
            error = killed if told is None else error_entry(told)
            write_record(run.folder, found | {"state": State.INTERRUPTED, "error": error, "finished": now()})
            remove_progress(run.folder)
    return mine


def check_all_ended(runs: Sequence[PlannedRun]) -> None:
    """Nothing is left to train of these runs, unless other processes train it.

    Raises:
        RunsFailed: if a run ended without a result.
    """
    lost = sum(_state(run) in UNFINISHED for run in runs)
    if lost:
        raise RunsFailed(f"{lost} of {len(runs)} runs did not end; the same command goes on with them")


def _is_of_a_lost_job(error: Exception) -> bool:
    """Whether submitit has waited for a job that ended without saying how: cancelled, or killed with its process."""
    try:
        from submitit.core.utils import UncompletedJobError
    except ImportError:
        return False
    return isinstance(error, UncompletedJobError)


def _state(run: PlannedRun) -> str | None:
    """The state in run.json; None if there is none, e.g. because the folder was moved away."""
    record = read_record(run.folder)
    return record and record["state"]


def _attempts(run: PlannedRun) -> int:
    record = read_record(run.folder)
    return record["attempts"] if record else 0
