"""A longer run that starts from a copy of a shorter one ends as if it had been trained from the start."""

import errno
import hashlib
import json

import pytest
from filelock import FileLock
from finished_runs import left_by, record, run_folders, steps
from interruptions import interrupt_after
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.plugins.hparams import metadata, plugin_data_pb2

from gradflow.runs.record import write_record
from gradflow.training.checkpoints import DurableCheckpointIO

BASE = ("trainer=cpu", "blocks=1", "width=8", "data.batch_size=399", "threads=1")
QUIET = "callbacks.pictures=null"
MLP = ("model=mlp", *BASE, QUIET)
STOPPING = ("model=mlp", *BASE, "callbacks=early_stopping", "callbacks.early_stopping.patience=2", "optimizer.lr=0")


def run_of(root, **length):
    """The run of this length."""
    (run,) = [run for run in run_folders(root) if (record(run)["length"] or {}).items() >= length.items()]
    return run


def of_length(root, epochs):
    return run_of(root, **{"trainer.max_epochs": epochs})


def contents(run):
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in run.rglob("*") if file.is_file()}


def sessions(run):
    """What TensorBoard's HParams page is told: (trial, epochs) of each session, and how many have ended."""
    events = [event for file in sorted(run.glob("events*")) for event in EventFileLoader(str(file)).Load()]
    told = [value for event in events for value in event.summary.value if value.metadata.plugin_data.plugin_name]
    mine = [
        plugin_data_pb2.HParamsPluginData.FromString(one.metadata.plugin_data.content)
        for one in told
        if one.metadata.plugin_data.plugin_name == metadata.PLUGIN_NAME
    ]
    starts = [one.session_start_info for one in mine if one.HasField("session_start_info")]
    ended = sum(one.HasField("session_end_info") for one in mine)
    return [(start.group_name, start.hparams["max_epochs"].number_value) for start in starts], ended


@pytest.fixture
def from_the_start(command, tmp_path):
    """`from_the_start(*overrides)`: what the run leaves in a study of its own."""

    def train(*overrides):
        assert command(*overrides, f"output_dir={tmp_path}/whole/outputs").status == 0
        (run,) = run_folders(tmp_path / "whole")
        return left_by(run)

    return train


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((*MLP, "optimizer.lr=0.1"), id="several updates a training step, best epoch early"),
        pytest.param(
            (*MLP, "schedule=step", "schedule.step_size=2", "steps_per_execution=1"), id="schedule, one update"
        ),
        pytest.param(
            ("model=conv", *BASE, QUIET, "model.dropout=0.1", "schedule=step", "schedule.step_size=2"),
            id="batch normalisation, dropout, schedule",
        ),
    ],
)
def test_it_ends_bit_identical_and_the_shorter_run_is_untouched(command, tmp_path, from_the_start, options):
    assert command(*options, "trainer.max_epochs=3").status == 0
    shorter = of_length(tmp_path, 3)
    before = contents(shorter)
    longer = command(*options, "trainer.max_epochs=5")
    assert longer.status == 0, longer
    run = of_length(tmp_path, 5)
    name = f"{shorter.parent.name}/seed=0"
    assert f"  starts from epoch 3 of {name}\n" in longer.out
    assert contents(shorter) == before
    assert left_by(run) == from_the_start(*options, "trainer.max_epochs=5")
    found = record(run)
    assert (found["started_from"]["folder"], found["started_from"]["epoch"]) == (name, 3)
    assert found["started_from"]["provenance"] == record(shorter)["provenance"]
    assert (found["attempts"], found["state"]) == (1, "finished")
    assert sessions(run) == ([(f"{found['study']}/{found['config']}", 5.0)], 1)


def test_the_best_epoch_of_the_shorter_run_may_stay_the_best(command, tmp_path, from_the_start):
    worse = (*MLP, "optimizer=sgd", "optimizer.lr=5")  # training gets worse after its first epochs
    assert command(*worse, "trainer.max_epochs=3").status == 0
    assert command(*worse, "trainer.max_epochs=5").status == 0
    run = of_length(tmp_path, 5)
    assert record(run)["metrics"]["best_epoch"] <= 3
    assert left_by(run) == from_the_start(*worse, "trainer.max_epochs=5")


def test_the_longest_shorter_run_is_taken_and_a_longer_one_is_not(command, tmp_path):
    for epochs, line in ((1, None), (2, "epoch 1 of"), (4, "epoch 2 of"), (3, "epoch 2 of")):
        out = command(*MLP, f"trainer.max_epochs={epochs}").out
        assert line is None or f"starts from {line}" in out
        assert ("starts from" in out) == (line is not None)


def test_a_run_that_was_interrupted_on_its_way_serves_too(command, tmp_path, monkeypatch, from_the_start):
    assert interrupt_after(command, monkeypatch, 3, *MLP, "trainer.max_epochs=9").status == 130
    interrupted = of_length(tmp_path, 9)
    before = contents(interrupted)
    assert "starts from epoch 2 of" in command(*MLP, "trainer.max_epochs=4").out
    assert contents(interrupted) == before
    assert left_by(of_length(tmp_path, 4)) == from_the_start(*MLP, "trainer.max_epochs=4")


@pytest.mark.parametrize(("steps", "epoch"), [(6, 2), (7, 2)])
def test_without_its_limit_of_steps_a_run_goes_on_from_the_last_complete_epoch(
    command, tmp_path, from_the_start, steps, epoch
):
    assert command(*MLP, "trainer.max_epochs=4", f"+trainer.max_steps={steps}").status == 0
    assert f"starts from epoch {epoch} of" in command(*MLP, "trainer.max_epochs=4").out
    (run,) = [run for run in run_folders(tmp_path) if "trainer.max_steps" not in record(run)["length"]]
    assert left_by(run) == from_the_start(*MLP, "trainer.max_epochs=4")


def test_where_early_stopping_ended_the_shorter_run_the_longer_one_ends_too(command, tmp_path, from_the_start):
    assert command(*STOPPING, "trainer.max_epochs=5").status == 0
    assert "starts from epoch 3 of" in command(*STOPPING, "trainer.max_epochs=8").out
    run = of_length(tmp_path, 8)
    assert len(steps(run)["train/loss"]) == 3
    assert record(run)["state"] == "finished"
    assert left_by(run) == from_the_start(*STOPPING, "trainer.max_epochs=8")


def test_a_schedule_that_follows_the_length_is_trained_from_the_start_and_says_so(command, tmp_path, from_the_start):
    cosine = (*MLP, "schedule=cosine")
    assert command(*cosine, "trainer.max_epochs=2").status == 0
    outcome = command(*cosine, "trainer.max_epochs=3")
    (said,) = [line for line in outcome.out.splitlines() if "trained from the start" in line]
    assert said.endswith("schedule.T_max=2 there, 3 here, because it follows the length")
    run = of_length(tmp_path, 3)
    assert record(run)["started_from"] is None
    assert left_by(run) == from_the_start(*cosine, "trainer.max_epochs=3")


def test_a_callback_that_may_look_at_the_length_is_trained_from_the_start_and_says_so(command):
    noise = (*MLP, "+callbacks.noise._target_=own_callbacks.Noise")
    assert command(*noise, "trainer.max_epochs=1").status == 0
    out = command(*noise, "trainer.max_epochs=2").out
    assert "seed=0 ends: callbacks.noise may depend on how long training lasts\n" in out


def test_a_schedule_of_fixed_length_does_not_stand_in_the_way(command):
    fixed = (*MLP, "schedule=cosine", "schedule.T_max=9")
    assert command(*fixed, "trainer.max_epochs=2").status == 0
    assert "starts from epoch 2 of" in command(*fixed, "trainer.max_epochs=3").out


def test_a_run_of_another_torch_is_not_copied_and_one_of_another_commit_is_named(command, tmp_path):
    assert command(*MLP, "trainer.max_epochs=2").status == 0
    shorter = of_length(tmp_path, 2)
    found = record(shorter)
    write_record(shorter, found | {"provenance": found["provenance"] | {"torch": "1.0.0"}})
    out = command(*MLP, "trainer.max_epochs=3").out
    assert "torch 1.0.0 there" in out
    assert "starts from" not in out
    write_record(shorter, found | {"provenance": found["provenance"] | {"git_commit": "c0ffee", "threads": 7}})
    out = command(*MLP, "trainer.max_epochs=3", "rerun=true").out
    assert "starts from" not in out  # everything again
    for run in run_folders(tmp_path):
        if run != shorter:
            write_record(run, record(run) | {"lengthless_hash": None})
    out = command(*MLP, "trainer.max_epochs=4").out
    assert "starts from epoch 2 of" in out
    assert "(there: git_commit c0ffee, threads 7)" in out


@pytest.mark.parametrize(
    "other", [("seed=1",), ("callbacks=none",), ("logger=none",), ("optimizer.lr=0.002",), ("study=another",)]
)
def test_only_a_run_that_differs_in_length_alone_is_copied(command, other):
    assert command("model=mlp", *BASE, *other, "trainer.max_epochs=1").status == 0
    assert "starts from" not in command("model=mlp", *BASE, "trainer.max_epochs=2").out


def test_a_shorter_run_that_another_process_trains_is_left_alone(command, tmp_path):
    assert command(*MLP, "trainer.max_epochs=1").status == 0
    with FileLock(of_length(tmp_path, 1) / ".lock", is_singleton=False):
        outcome = command(*MLP, "trainer.max_epochs=2")
    assert (outcome.status, "starts from" in outcome.out) == (0, False)


@pytest.mark.parametrize("left", ["planned", "running"])
def test_a_crash_while_copying_leaves_nothing_that_is_taken_for_the_run(
    command, tmp_path, monkeypatch, from_the_start, left
):
    assert command(*MLP, "trainer.max_epochs=2").status == 0
    full = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as patch:
        patch.setattr(DurableCheckpointIO, "save_checkpoint", lambda *args, **options: (_ for _ in ()).throw(full))
        assert command(*MLP, "trainer.max_epochs=3").status == 1
    run = of_length(tmp_path, 3)
    assert record(run)["error"]["may_pass"]
    write_record(run, record(run) | {"state": left})
    assert list(run.glob("events*")), "the crash came too early to show anything"
    assert not (run / "checkpoints" / "last.ckpt").exists()
    assert "starts from epoch 2 of" in command(*MLP, "trainer.max_epochs=3").out
    assert left_by(run) == from_the_start(*MLP, "trainer.max_epochs=3")


def test_a_copy_that_is_interrupted_in_its_first_epoch_goes_on_from_the_copy(
    command, tmp_path, monkeypatch, from_the_start
):
    assert command(*MLP, "trainer.max_epochs=2").status == 0
    assert interrupt_after(command, monkeypatch, 3, *MLP, "trainer.max_epochs=4").status == 130
    assert "starts from epoch 2 of" in command(*MLP, "trainer.max_epochs=4").out
    run = of_length(tmp_path, 4)
    assert left_by(run) == from_the_start(*MLP, "trainer.max_epochs=4")
    assert sessions(run) == ([(f"digits_mlp/{record(run)['config']}", 4.0)], 1)
    assert (record(run)["attempts"], record(run)["started_from"]["epoch"]) == (2, 2)


def test_a_shorter_run_whose_curves_are_damaged_is_not_copied(command, tmp_path, from_the_start):
    assert command(*MLP, "trainer.max_epochs=2").status == 0
    shorter = of_length(tmp_path, 2)
    (events,) = shorter.glob("events.*")
    content = events.read_bytes()
    events.write_bytes(content[:100] + bytes(64) + content[164:])
    write_record(shorter, record(shorter) | {"state": "interrupted", "events": None})
    longer = command(*MLP, "trainer.max_epochs=4")
    assert (longer.status, "starts from epoch" in longer.out) == (0, False)
    assert left_by(of_length(tmp_path, 4)) == from_the_start(*MLP, "trainer.max_epochs=4")


def test_records_of_before_name_no_length_and_are_not_copied(command, tmp_path):
    assert command(*MLP, "trainer.max_epochs=1").status == 0
    shorter = of_length(tmp_path, 1)
    found = json.loads((shorter / "run.json").read_text())
    for entry in ("length", "lengthless_hash", "started_from", "cut_short_by"):
        del found[entry]
    (shorter / "run.json").write_text(json.dumps(found))
    assert record(shorter)["started_from"] is None
    outcome = command(*MLP, "trainer.max_epochs=2")
    assert (outcome.status, "starts from" in outcome.out) == (0, False)


def test_in_one_sweep_the_longer_run_follows_the_shorter_one(command, tmp_path):
    out = command(*MLP, "trainer.max_epochs=1,2", "seed=0,1").out
    assert out.count("starts from epoch 1 of") == 2
    started = [record(run)["started_from"] for run in run_folders(tmp_path)]
    assert [start and start["folder"].rpartition("/")[2] for start in started] == [None, None, "seed=0", "seed=1"]
