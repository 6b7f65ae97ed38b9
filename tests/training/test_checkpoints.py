"""Where a run goes on: from a checkpoint that is whole, and whose curves are there; told otherwise."""

import re
import shutil
import tempfile

import pytest
import torch
from finished_runs import left_by, only_run, record, states
from power_cuts import full_disk

from gradflow.errors import CannotWrite
from gradflow.runs.record import write_record
from gradflow.training.checkpoints import DurableCheckpointIO, saved, whole_checkpoint

# The rate is so high that the best epoch is not the last.
RUN = ("trainer=cpu", "model=mlp", "width=4", "blocks=1", "optimizer.lr=0.3", "callbacks.pictures=null", "seed=1")


@pytest.fixture(scope="module")
def killed(command_in, tmp_path_factory):
    """A run of six epochs that was killed while it tested, and what it would have left. It is taken up elsewhere."""
    root = tmp_path_factory.mktemp("killed")
    assert command_in(root, *RUN, "trainer.max_epochs=6").status == 0
    run = only_run(root)
    whole = left_by(run)
    write_record(run, record(run) | {"state": "running", "metrics": {}, "events": None})
    assert 1 < whole["metrics"]["best_epoch"] < 6
    return root, whole


@pytest.fixture
def taken_up(killed, command, tmp_path):
    """`taken_up(harm)`: do harm to its folder, give the command again; what it printed, and whether nothing is lost."""
    root, whole = killed
    shutil.copytree(root / "outputs", tmp_path / "outputs")

    def again(harm):
        harm(only_run(tmp_path))
        outcome = command(*RUN, "trainer.max_epochs=6")
        assert (outcome.status, outcome.err, states(tmp_path)) == (0, "", ["finished"])
        return outcome.out, left_by(only_run(tmp_path)) == whole

    return again


def emptied(name):
    def harm(run):
        (file,) = run.glob(name)
        file.write_bytes(b"")

    return harm


def zeros_inside(name, *, at=None):
    def harm(run):
        (file,) = run.glob(name)
        content = bytearray(file.read_bytes())
        start = len(content) // 2 if at is None else at
        content[start : start + 64] = bytes(64)
        file.write_bytes(content)

    return harm


def removed(name):
    return lambda run: (run / name).unlink()


def test_without_harm_it_goes_on_after_the_last_epoch(taken_up):
    out, is_whole = taken_up(lambda run: None)
    assert "resuming after epoch 6" in out
    assert "; training " not in out
    assert is_whole


def test_what_a_killed_process_had_half_written_is_cleared_away(taken_up, tmp_path):
    def harm(run):
        for name in (".run.json.1.part", ".hydra/.config.yaml.1.part", "checkpoints/.last.ckpt.1.part"):
            (run / name).write_bytes(b"half")

    taken_up(harm)
    assert list(only_run(tmp_path).rglob("*.part")) == []


@pytest.mark.parametrize("harm", [emptied, zeros_inside])
def test_a_damaged_last_checkpoint_is_told_and_training_goes_on_from_the_best(taken_up, killed, harm):
    out, is_whole = taken_up(harm("checkpoints/last.ckpt"))
    assert "seed=1: last.ckpt is damaged; training goes on from the best epoch" in out
    assert f"resuming after epoch {killed[1]['metrics']['best_epoch']}" in out
    assert is_whole


def test_a_run_that_has_only_its_best_epoch_left_has_a_whole_last_checkpoint_again(command, tmp_path):
    """Also if that was the last epoch, so that none follows."""
    rising = (*RUN, "optimizer.lr=0.003", "trainer.max_epochs=2")
    assert command(*rising).status == 0
    run = only_run(tmp_path)
    whole = left_by(run)
    assert whole["metrics"]["best_epoch"] == 2
    write_record(run, record(run) | {"state": "running", "metrics": {}, "events": None})
    emptied("checkpoints/last.ckpt")(run)
    assert "last.ckpt is damaged; training goes on from the best epoch" in command(*rising).out
    assert saved(run / "checkpoints" / "last.ckpt")["epoch"] == 1
    assert left_by(run) == whole


@pytest.mark.parametrize(
    ("harm", "fault"),
    [
        (emptied("events.*"), r"events\S+ has 0 of [\d,]+ bytes"),
        (zeros_inside("events.*", at=100), r"events\S+: damaged at byte [\d,]+"),
        (removed("checkpoints/best.ckpt"), "no best.ckpt"),
        (zeros_inside("checkpoints/best.ckpt"), "best.ckpt is damaged"),
    ],
    ids=["no curves", "damaged curves", "no best epoch", "a damaged best epoch"],
)
def test_without_what_a_checkpoint_builds_on_training_starts_again_and_says_so(taken_up, harm, fault):
    out, is_whole = taken_up(harm)
    assert re.search(rf"^warning: .*seed=1: {fault}; training starts again$", out, re.MULTILINE)
    assert "resuming" not in out
    assert is_whole


def test_curves_that_are_longer_than_the_checkpoint_says_are_cut(taken_up):
    def add(run):
        (file,) = run.glob("events.*")
        file.write_bytes(file.read_bytes() + b"half a record")

    out, is_whole = taken_up(add)
    assert "resuming after epoch 6" in out
    assert is_whole


def test_no_checkpoint_is_no_fault(tmp_path):
    assert whole_checkpoint(tmp_path) == (None, None)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive" * 100])
def test_what_is_no_checkpoint_is_damaged(tmp_path, content):
    (tmp_path / "checkpoints").mkdir()
    for name in ("last", "best"):
        (tmp_path / "checkpoints" / f"{name}.ckpt").write_bytes(content)
    assert whole_checkpoint(tmp_path) == (None, "last.ckpt is damaged")


def test_a_checkpoint_does_not_pass_through_the_systems_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    file = tmp_path / "new" / "last.ckpt"
    DurableCheckpointIO().save_checkpoint({"epoch": 3, "weights": torch.ones(2)}, file)
    assert saved(file)["epoch"] == 3
    assert [one.name for one in file.parent.iterdir()] == ["last.ckpt"]


def test_a_full_disk_leaves_the_checkpoint_of_before(tmp_path):
    file = tmp_path / "last.ckpt"
    DurableCheckpointIO().save_checkpoint({"epoch": 3}, file)
    with full_disk("last.ckpt"), pytest.raises(CannotWrite, match=r"last\.ckpt: cannot be written \(no space left"):
        DurableCheckpointIO().save_checkpoint({"epoch": 4}, file)
    assert saved(file)["epoch"] == 3
    assert [one.name for one in tmp_path.iterdir()] == ["last.ckpt"]


@pytest.mark.slow
def test_a_checkpoint_does_not_grow_with_the_epochs(command, tmp_path, monkeypatch):
    """Nor does what the monitors and Lightning keep between epochs, which is all in it."""
    sizes = {}
    for epochs in (30, 3):  # a longer run would start from a copy of the shorter one
        # With the rate at 0 no epoch but the first is the best.
        same = ("trainer=cpu", "model=mlp", "width=4", "blocks=1", "optimizer.lr=0", "callbacks.pictures=null")
        assert command(*same, f"trainer.max_epochs={epochs}", "+trainer.limit_train_batches=2").status == 0
    for run in tmp_path.glob("outputs/*/*/seed=0"):
        sizes[saved(run / "checkpoints" / "last.ckpt")["epoch"]] = (run / "checkpoints" / "last.ckpt").stat().st_size
    assert sizes.keys() == {2, 29}
    assert abs(sizes[29] - sizes[2]) <= 64  # numbers of more digits
