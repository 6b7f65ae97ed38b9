"""Workers are killed: what is left is launched again, and nothing claims to be running any longer."""

import signal
from concurrent.futures.process import BrokenProcessPool

import pytest
from filelock import FileLock
from finished_runs import record
from forged_runs import run_record

from gradflow.errors import RunsFailed
from gradflow.runs import folders
from gradflow.runs.progress import Progress, read_progress, write_progress
from gradflow.runs.record import State, read_record, write_record
from gradflow.signals import Signalled
from gradflow.sweep import launch
from gradflow.sweep.plan import PlannedRun


@pytest.fixture
def planned(tmp_path):
    """Four runs of a study."""
    runs = [PlannedRun(tmp_path / f"config={n}" / "seed=0") for n in range(4)]
    for run in runs:
        write_record(run.folder, run_record(state=State.PLANNED))
    return runs


class Pool:
    """Trains two runs at a time; where one of the `fatal` runs is among them, both are killed.

    Args:
        fatal: run -> how often it is fatal.
    """

    def __init__(self, fatal):
        self.fatal = dict(fatal)
        self.launched = []

    def __call__(self, runs):
        self.launched.append([run.folder.parent.name[-1] for run in runs])
        for first in range(0, len(runs), 2):
            pair = runs[first : first + 2]
            for run in pair:
                self._set(run, State.RUNNING, attempts=record(run.folder)["attempts"] + 1)
            if any(self._kills(run) for run in pair):
                raise BrokenProcessPool
            for run in pair:
                self._set(run, State.FINISHED)
        return [f"returned {len(runs)}"]

    def _set(self, run, state, **more):
        write_record(run.folder, record(run.folder) | {"state": state, **more})

    def _kills(self, run):
        name = run.folder.parent.name[-1]
        self.fatal[name] = self.fatal.get(name, 0) - 1
        return self.fatal[name] >= 0


def states(runs):
    return [record(run.folder)["state"] for run in runs]


def test_without_a_kill_there_is_one_launch(planned):
    pool = Pool({})
    assert launch.outlive(planned, pool) == ["returned 4"]
    assert pool.launched == [["0", "1", "2", "3"]]
    launch.check_all_ended(planned)


def test_after_one_kill_all_are_trained_and_those_that_were_hit_one_by_one(planned):
    pool = Pool({"1": 1})
    assert launch.outlive(planned, pool) == ["returned 2", "returned 1", "returned 1"]
    assert pool.launched == [["0", "1", "2", "3"], ["2", "3"], ["0"], ["1"]]
    assert states(planned) == [State.FINISHED] * 4
    launch.check_all_ended(planned)


def test_a_run_that_is_killed_whenever_it_is_trained_costs_no_other_run(planned):
    with pytest.raises(RunsFailed, match="2 of 4 runs did not end"):
        launch.outlive(planned, Pool({"0": 99, "3": 99}))
    assert states(planned) == [State.INTERRUPTED, State.FINISHED, State.FINISHED, State.INTERRUPTED]
    error = record(planned[0].folder)["error"]
    assert (error["type"], error["message"]) == ("Killed", launch.KILLED)
    with pytest.raises(RunsFailed, match="2 of 4 runs did not end"):
        launch.check_all_ended(planned)


def test_workers_that_die_before_any_run_are_not_tried_for_ever(planned):
    def dead(runs):
        raise BrokenProcessPool

    with pytest.raises(RunsFailed, match="4 of 4 runs did not end"):
        launch.outlive(planned, dead)
    assert states(planned) == [State.PLANNED] * 4


def test_a_run_that_another_process_trains_is_left_to_it(planned, monkeypatch):
    monkeypatch.setattr(launch, "ENDS_WITHIN_S", 0.1)
    for run in planned[:2]:
        write_record(run.folder, record(run.folder) | {"state": State.RUNNING})
    with FileLock(planned[0].folder / folders.LOCK_FILE, is_singleton=False):
        launch.settle(planned)
    assert states(planned) == [State.RUNNING, State.INTERRUPTED, State.PLANNED, State.PLANNED]


def test_ctrl_c_is_what_has_ended_a_worker_that_was_killed_after_it_and_its_progress_goes_away(planned):
    folder = planned[0].folder
    write_record(folder, record(folder) | {"state": State.RUNNING})
    write_progress(folder, Progress(1.5, 10))
    launch.settle(planned, told=Signalled(128 + signal.SIGINT))
    found = record(folder)
    error = found["error"]
    assert (found["state"], error["type"], error["message"]) == (State.INTERRUPTED, "Signalled", "SIGINT")
    assert read_progress(folder) is None


def test_a_folder_that_was_moved_away_is_nobodys_loss(planned, tmp_path):
    planned[0].folder.rename(tmp_path / "elsewhere")
    launch.outlive(planned, lambda runs: [])
    launch.settle(planned)
    assert read_record(planned[0].folder) is None


def test_a_job_of_submitit_that_ended_without_a_word_is_told_and_other_errors_are_raised(planned, capsys):
    submitit = pytest.importorskip("submitit")

    def lose(runs):
        raise submitit.core.utils.UncompletedJobError("Job 7\nhas no output (state: CANCELLED)\nand more")

    with pytest.raises(RunsFailed):
        launch.outlive(planned, lose)
    assert "Job 7 has no output (state: CANCELLED); jobs that are" in capsys.readouterr().out

    def kill(runs):
        for run in runs:
            state = State.RUNNING if run is runs[0] else State.FINISHED
            write_record(run.folder, record(run.folder) | {"state": state})
        lose(runs)

    with pytest.raises(RunsFailed, match="1 of 4 runs did not end"):
        launch.outlive(planned, kill)
    assert states(planned) == [State.INTERRUPTED, *[State.FINISHED] * 3]

    def fail(runs):
        raise LookupError("a fault of the launcher")

    with pytest.raises(LookupError):
        launch.outlive(planned, fail)


def test_ctrl_c_ends_the_workers_even_while_the_runs_that_were_hit_go_on(planned, monkeypatch):
    pool, ended = Pool({"1": 1}), []
    monkeypatch.setattr(launch, "kill_children", lambda: ended.append(True))

    def interrupted_at_the_end(runs):
        if len(pool.launched) == 2:
            raise Signalled(128 + signal.SIGINT)
        return pool(runs)

    with pytest.raises(Signalled):
        launch.outlive(planned, interrupted_at_the_end)
    assert ended == [True]
