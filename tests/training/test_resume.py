"""A study survives anything: what was interrupted ends as if nothing had happened."""

import random
import subprocess
import time
from pathlib import Path

import lightning as L
import pytest
from finished_runs import left_by, only_run, record, records, run_folders, states, steps, written_twice
from interruptions import interrupt_after
from own_processes import start
from waiting import wait_until

from gradflow.runs.record import State
from gradflow.study.records import study_runs

SWEEP = ("activation=relu,rrelu", "blocks=2", "width=16", "trainer.max_epochs=8", "model.dropout=0.1", "trainer=cpu")
KILLS = 4


def kill_while_training(folder: Path, seconds: float) -> None:
    """SIGKILL so many seconds after a run has begun, or when the sweep ends before that."""
    started = {run: found["attempts"] for run, found in records(folder).items()}

    def has_begun():
        return any(
            found["state"] == State.RUNNING and found["attempts"] > started.get(run, 0)
            for run, found in records(folder).items()
        )

    process = start(folder, *SWEEP, stdout=subprocess.DEVNULL)
    wait_until(has_begun, process=process)
    time.sleep(seconds)
    process.kill()
    process.wait()


@pytest.mark.slow
def test_a_sweep_killed_again_and_again_ends_like_one_that_never_was(command_in, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    assert command_in(whole, *SWEEP).status == 0
    durations = [found["duration_s"] for found in records(whole).values()]
    moments = random.Random(0)
    for _ in range(KILLS):
        kill_while_training(killed, moments.uniform(0.0, 0.9 * max(durations)))
    assert command_in(killed, *SWEEP).status == 0
    assert sum(found["attempts"] for found in records(killed).values()) > len(records(whole)), "no kill has hit a run"
    for run in run_folders(whole):
        again = killed / run.relative_to(whole)
        assert record(again)["state"] == State.FINISHED
        assert left_by(again) == left_by(run)
        assert written_twice(again) == []


TWO = ("blocks=1", "width=4", "trainer=cpu", "callbacks.pictures=null", "trainer.max_epochs=4", "activation=relu,tanh")


@pytest.mark.slow
def test_ctrl_c_marks_the_run_shows_the_table_and_the_same_command_goes_on(command, tmp_path, monkeypatch):
    outcome_of_ctrl_c = interrupt_after(command, monkeypatch, 3, *TWO)
    assert outcome_of_ctrl_c.status == 130
    assert "interrupted: activation=relu,blocks=1" in outcome_of_ctrl_c.out
    assert states(tmp_path) == [State.INTERRUPTED, State.PLANNED]
    again = command(*TWO)
    assert again.status == 0
    assert "resuming after epoch 2" in again.out
    assert states(tmp_path) == [State.FINISHED] * 2
    other = tmp_path / "other"
    assert command(*TWO, f"output_dir={other}/outputs").status == 0
    for run in run_folders(other):
        assert left_by(tmp_path / run.relative_to(other)) == left_by(run)


def test_a_run_that_early_stopping_had_ended_is_not_trained_further(command, tmp_path, monkeypatch):
    stop = (*TWO[:-2], "trainer.max_epochs=9", "callbacks=early_stopping", "callbacks.pictures=null", "optimizer.lr=0")
    stop = (*(one for one in stop if one != "callbacks.pictures=null"), "callbacks.early_stopping.patience=2")
    with monkeypatch.context() as patch:
        patch.setattr("gradflow.sweep.checks.dry_step.check", lambda *_: None)  # which tests, too
        patch.setattr(L.Trainer, "test", lambda *arguments, **options: (_ for _ in ()).throw(KeyboardInterrupt))
        assert command(*stop).status == 130
    run = only_run(tmp_path)
    epochs = len(steps(run)["train/loss"])
    assert epochs == 3  # the first, and two without improvement
    assert command(*stop).status == 0
    assert len(steps(run)["train/loss"]) == epochs
    assert record(run)["state"] == State.FINISHED


@pytest.mark.slow
def test_resume_trains_what_is_unfinished_in_a_study(command, tmp_path, monkeypatch):
    interrupt_after(command, monkeypatch, 3, *TWO)
    assert command("resume=outputs/digits_conv").status == 0
    assert states(tmp_path) == [State.FINISHED] * 2
    changed = command("resume=outputs/digits_conv", "trainer.max_epochs=9")
    assert changed.status == 2
    assert "trainer.max_epochs=9: no effect" in changed.err
    nothing = command("resume=outputs/nothing")
    assert nothing.status == 2
    assert "resume=outputs/nothing" in nothing.err


@pytest.mark.slow
def test_resume_goes_on_with_a_rerun_in_a_study_that_was_moved(command, tmp_path, monkeypatch):
    interrupt_after(command, monkeypatch, 3, *TWO, "rerun=true")
    (tmp_path / "o'ther, place").mkdir()
    (tmp_path / "outputs" / "digits_conv").rename(tmp_path / "o'ther, place" / "renamed")
    again = command('resume="o\'ther, place/renamed"')
    assert again.status == 0, again.err
    assert "resuming after epoch 2" in again.out
    assert [found["state"] for found in study_runs(tmp_path / "o'ther, place" / "renamed")] == [State.FINISHED] * 2
    assert not list(tmp_path.rglob("replaced=*"))
    assert not list(tmp_path.glob("outputs/**/run.json"))
    assert "0 runs to train (2 already done)" in command('resume="o\'ther, place/renamed"').out


@pytest.mark.slow
def test_new_seeds_and_depths_train_only_what_is_new(command, tmp_path):
    assert command(*TWO).status == 0
    first = {run: found["finished"] for run, found in records(tmp_path).items()}
    more = command(*TWO, "seed=0,1", "blocks=1,2")
    assert "6 runs to train (2 already done)" in more.out
    after = records(tmp_path)
    assert len(after) == 8
    assert all(after[run]["finished"] == finished and after[run]["attempts"] == 1 for run, finished in first.items())


@pytest.mark.slow
def test_rerun_keeps_the_old_folder_under_a_dated_name(command, tmp_path):
    assert command(*TWO).status == 0
    before = {run: left_by(run) for run in run_folders(tmp_path)}
    assert "2 runs to train" in command(*TWO, "rerun=true").out
    assert {run: left_by(run) for run in run_folders(tmp_path)} == before
    kept = sorted(tmp_path.glob("outputs/*/*/replaced=*,seed=0"))
    assert len(kept) == 2
    assert all((folder / "run.json").exists() for folder in kept)
