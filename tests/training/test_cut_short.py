"""A run that a limit has ended says so, and counts nowhere; the same command does what is left to do."""

import pytest
from finished_runs import left_by, only_run, record, run_folders, steps
from interruptions import interrupt_after

from gradflow.training.cut_short import TimeLimit

RUN = (
    *("trainer=cpu", "model=mlp", "width=8", "blocks=1", "data.batch_size=399", "data.eval_batch_size=100"),
    *("trainer.max_epochs=4", "threads=1", "callbacks.pictures=null"),
)  # three updates in an epoch
TIME = "+trainer.max_time=00:00:10:00"


@pytest.fixture
def out_of_time(monkeypatch):
    """`out_of_time(n)`: the time of an attempt is over when it is looked at for the n-th time; None: never."""

    def after(looks):
        def left(limit):
            limit.looks = getattr(limit, "looks", -1) + 1  # the first look is at a new limit
            return 0.0 if looks is not None and limit.looks >= looks else 1.0

        monkeypatch.setattr(TimeLimit, "_left", left)

    return after


@pytest.mark.parametrize(
    "limit",
    [
        *("trainer.max_steps=6", "trainer.max_steps=1", "trainer.fast_dev_run=true"),
        *("trainer.limit_train_batches=2", "trainer.limit_val_batches=0.5", "trainer.limit_test_batches=2"),
    ],
)
def test_a_run_that_a_limit_ended_is_cut_short_and_not_launched_again(command, tmp_path, limit):
    first = command(*RUN, f"+{limit}")
    assert first.status == 0, first
    found = record(only_run(tmp_path))
    assert (found["state"], found["cut_short_by"], found["error"]) == ("cut_short", limit, None)
    assert f"run 1/1: cut_short by {limit}" in first.out
    assert f"cut_short: {found['config']}/seed=0: by {limit}\n" in first.out
    assert "no value yet" in first.out
    again = command(*RUN, f"+{limit}")
    assert again.status == 0
    assert "0 runs to train (1 already done)" in again.out
    assert record(only_run(tmp_path)) == found


@pytest.mark.parametrize(
    "limit",
    ["trainer.limit_train_batches=1.0", "trainer.limit_val_batches=3", "trainer.max_steps=12"],
)
def test_a_limit_that_left_nothing_out_has_not_cut_the_run_short(command, tmp_path, limit):
    assert command(*RUN, f"+{limit}").status == 0
    assert (record(only_run(tmp_path))["state"], record(only_run(tmp_path))["cut_short_by"]) == ("finished", None)


@pytest.mark.parametrize("per_execution", [1, 16])
def test_a_run_with_a_limit_of_steps_goes_on_from_its_last_complete_epoch(
    command, tmp_path, monkeypatch, per_execution
):
    options = (*RUN, f"steps_per_execution={per_execution}", "+trainer.max_steps=10")
    assert command(*options, f"output_dir={tmp_path}/whole/outputs").status == 0
    assert interrupt_after(command, monkeypatch, 3, *options).status == 130
    again = command(*options)
    assert "resuming after epoch 2" in again.out
    assert (again.status, record(only_run(tmp_path))["state"]) == (0, "cut_short"), again
    assert steps(only_run(tmp_path))["train/loss_step"] == list(range(10))
    assert left_by(only_run(tmp_path)) == left_by(only_run(tmp_path / "whole"))


def test_a_higher_limit_of_steps_goes_on_from_where_a_lower_one_ended(command, tmp_path):
    whole = command(*RUN, "+trainer.max_steps=10", f"output_dir={tmp_path}/whole/outputs")
    assert whole.status == command(*RUN, "+trainer.max_steps=7").status == 0
    longer = command(*RUN, "+trainer.max_steps=10")
    assert "starts from epoch 2 of" in longer.out
    (run,) = [run for run in run_folders(tmp_path) if record(run)["length"]["trainer.max_steps"] == 10]
    assert left_by(run) == left_by(only_run(tmp_path / "whole"))


def test_early_stopping_finishes_a_run_whatever_the_limit_of_steps(command, tmp_path):
    stopping = ("callbacks=early_stopping", "callbacks.early_stopping.patience=1", "optimizer.lr=0")
    options = (*(option for option in RUN if not option.startswith("callbacks")), *stopping)
    assert command(*options, "+trainer.max_steps=11").status == 0
    assert record(only_run(tmp_path))["state"] == "finished"
    assert len(steps(only_run(tmp_path))["train/loss"]) == 2


@pytest.mark.parametrize(
    "limit",
    [
        *("trainer.max_steps=0", "trainer.limit_train_batches=0", "trainer.limit_val_batches=0.0"),
        *("trainer.limit_test_batches=0", "trainer.max_time=00:00:00:00", "trainer.max_time=soon"),
    ],
)
def test_a_limit_that_leaves_nothing_is_refused(command, tmp_path, limit):
    refused = command(*RUN, f"+{limit}")
    assert refused.status == 2
    assert refused.err.startswith(f"gradflow: {limit.split('=')[0]}=")
    assert refused.err.count("\n") == 1
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize(("per_execution", "looks"), [(1, 3), (2, 2)])
def test_a_run_out_of_time_goes_on_from_its_last_complete_epoch(command, tmp_path, out_of_time, per_execution, looks):
    """In an epoch it looks before it begins and after each training step but the last."""
    options = (*RUN, f"steps_per_execution={per_execution}")
    assert command(*options, f"output_dir={tmp_path}/whole/outputs").status == 0
    out_of_time(looks + 2)  # in the middle of the second epoch
    outcomes = [command(*options, TIME) for _ in range(2)]
    found = record(only_run(tmp_path))
    assert (found["state"], found["cut_short_by"]) == ("cut_short", TIME[1:])
    assert all("cut_short by trainer.max_time=00:00:10:00, goes on with the same command" in o.out for o in outcomes)
    assert found["metrics"]["val/acc"] > 0
    assert not any(tag.startswith("test/") for tag in found["metrics"])
    assert "resuming after epoch 1" in outcomes[1].out
    out_of_time(None)
    last = command(*options, TIME)
    assert "resuming after epoch 2" in last.out  # the second attempt had all the time again
    assert last.status == 0
    found = record(only_run(tmp_path))
    assert (found["state"], found["cut_short_by"], found["attempts"]) == ("finished", None, 3)
    assert left_by(only_run(tmp_path)) == left_by(only_run(tmp_path / "whole"))


def test_a_time_limit_is_no_part_of_a_runs_identity(command, tmp_path, out_of_time):
    out_of_time(1)
    outcome = command(*RUN, "+trainer.max_time={minutes: 5}")
    assert outcome.status == 0
    assert "no epoch was completed within trainer.max_time" in " ".join(outcome.out.split())
    found = record(only_run(tmp_path))
    assert (found["state"], "val/acc" in found["metrics"], "max_time" in found["config"]) == ("cut_short", False, False)
    out_of_time(None)
    assert command(*RUN).status == 0
    assert record(only_run(tmp_path))["state"] == "finished"
    assert "0 runs to train" in command(*RUN, TIME).out
