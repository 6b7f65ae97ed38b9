"""A study's progress, as its folders show it."""

import errno
import fcntl
import io

import pytest
from filelock import FileLock
from forged_runs import run_record, write_run
from rich.console import Console

from gradflow.runs import folders
from gradflow.runs.record import error_entry
from gradflow.study.records import study_runs
from gradflow.study.status import seconds_left, status_table, true_state


def shown(study):
    console = Console(file=io.StringIO(), width=500)
    console.print(status_table(study, study_runs(study)))
    return console.file.getvalue()


def test_a_run_that_says_running_is_believed_while_its_folder_is_held(tmp_path):
    run = write_run(tmp_path / "s", state="running")
    (record,) = study_runs(tmp_path / "s")
    assert true_state(tmp_path / "s", record) == "interrupted"
    with FileLock(run / folders.LOCK_FILE, is_singleton=False):
        assert true_state(tmp_path / "s", record) == "running"


def test_asking_writes_nothing_and_several_may_ask_at_once(tmp_path):
    run = write_run(tmp_path / "s", state="running")
    (record,) = study_runs(tmp_path / "s")
    assert true_state(tmp_path / "s", record) == "interrupted"
    assert not (run / folders.LOCK_FILE).exists()
    lock = run / folders.LOCK_FILE
    lock.touch()
    with lock.open() as other:
        fcntl.flock(other, fcntl.LOCK_SH)  # somebody else who asks
        assert true_state(tmp_path / "s", record) == "interrupted"


def test_a_run_whose_lock_may_not_be_read_is_believed(tmp_path, monkeypatch):
    write_run(tmp_path / "s", state="running")
    (record,) = study_runs(tmp_path / "s")

    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("os.open", refuse)
    assert true_state(tmp_path / "s", record) == "running"


def test_time_left_is_that_of_the_same_configuration_else_the_average():
    def record(config, state, seconds=None):
        return run_record(config=config, state=state, duration_s=seconds)

    records = [
        record("a", "finished", 10.0),
        record("a", "finished", 20.0),
        record("b", "finished", 60.0),
        record("a", "planned"),
        record("c", "failed", 1.0),
        record("b", "diverged", 1.0),
    ]
    states = [one["state"] for one in records]
    assert seconds_left(records, states) == pytest.approx(15.0 + 30.0)
    assert seconds_left(records[3:], states[3:]) is None


def test_the_table_counts_states_and_shows_error_lines(tmp_path):
    study = tmp_path / "s"
    for seed, state in enumerate(["finished", "finished", "diverged", "planned", "interrupted"]):
        write_run(study, seed=seed, state=state)
    write_run(study, activation="tanh", state="failed", error=error_entry(OSError("disk full\nand more")))
    text = shown(study)
    assert "2 finished, 1 interrupted, 1 failed, 1 diverged, 1 planned" in text
    assert "about 3 min 0 s of training left" in text
    assert "failed: activation=tanh,blocks=2/seed=0: OSError: disk full\n" in text
    assert "and more" not in text


def test_a_run_that_was_cut_short_is_shown_with_the_reason_and_waits_only_if_it_goes_on(tmp_path):
    study = tmp_path / "s"
    write_run(study)
    write_run(study, seed=1, state="cut_short", cut_short_by="trainer.max_steps=50")
    assert "1 finished, 1 cut_short" in shown(study)
    assert "cut_short: activation=relu,blocks=2/seed=1: by trainer.max_steps=50\n" in shown(study)
    assert "training left" not in shown(study)
    write_run(study, seed=2, state="cut_short", cut_short_by="trainer.max_time=00:01:00:00")
    assert "seed=2: by trainer.max_time=00:01:00:00, goes on with the same command\n" in shown(study)
    assert "about 1 min 0 s of training left" in shown(study)
