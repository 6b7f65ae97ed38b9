"""A power cut at any moment loses at most what was trained since the last complete epoch."""

import contextlib
import fcntl
import os
import shutil
import struct
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from finished_runs import left_by, only_run, record, run_folders
from omegaconf import OmegaConf
from power_cuts import recorded, written

from gradflow.errors import ConfigError
from gradflow.runs import durable
from gradflow.runs.integrity import damaged_curves
from gradflow.runs.record import DONE, State
from gradflow.runs.samples import read_samples
from gradflow.training.checkpoints import saved, whole_checkpoint

RUN = ("trainer=cpu", "model=mlp", "width=4", "blocks=1", "callbacks.pictures=null", "trainer.max_epochs=3")


class Moments:
    """Every moment of a run as a power cut would leave its folder: asserts that what is claimed is there.

    Args:
        place: where the folders go; each of those that are kept is a moment of another kind.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self.states: list[tuple[str | None, int]] = []  # with the number of complete epochs
        self.kept: dict[tuple[str | None, int, int], Path] = {}

    def __call__(self, *trees) -> None:
        for kind, tree in enumerate(trees):
            root = written(tree, self.place / f"{len(self.states)}_{kind}")
            run = next(iter(run_folders(root)), None)
            found = (None, 0) if run is None else self._claimed(run)
            self.states.append(found)
            if (*found, kind) in self.kept:
                shutil.rmtree(root)
            else:
                self.kept[*found, kind] = root

    def _claimed(self, run: Path) -> tuple[str, int]:
        try:
            found = record(run)
        except ConfigError as error:
            raise AssertionError(f"{run}: a record that was not synced") from error
        if found["state"] != State.PLANNED:
            assert OmegaConf.load(run / ".hydra" / "config.yaml").width == 4
        if found["state"] in DONE:
            assert damaged_curves(run, found) is None
            assert read_samples(run) is not None
            assert torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)["epoch"] >= 0
            assert "run 1/1" in (run / "train.log").read_text()
        checkpoint, fault = whole_checkpoint(run)
        assert fault is None
        return found["state"], saved(checkpoint)["epoch"] + 1 if checkpoint else 0


@pytest.fixture(scope="module")
def cut(command_in, tmp_path_factory):
    """A whole run, and every moment of it as a power cut would have left it."""
    root = tmp_path_factory.mktemp("whole")
    at = Moments(tmp_path_factory.mktemp("cuts"))
    (root / "outputs").mkdir()
    with recorded(root / "outputs", lambda *trees: at(*({"outputs": tree} for tree in trees))):
        assert command_in(root, *RUN).status == 0
    return at, left_by(only_run(root))


@pytest.mark.parametrize("kind", [0, 1], ids=["names as they were synced", "names as they are"])
def test_what_is_claimed_is_on_the_disk_at_every_moment(cut, kind):
    found = cut[0].states[kind::2]
    order = [
        *((None, 0), ("planned", 0), ("running", 0)),
        *(("running", epochs) for epochs in (1, 2, 3)),
        ("finished", 3),
    ]
    assert list(dict.fromkeys(found)) == order
    assert found == sorted(found, key=order.index)  # nothing is lost again
    assert len(found) > 30


@pytest.mark.slow
@pytest.mark.parametrize("kind", [0, 1], ids=["names as they were synced", "names as they are"])
@pytest.mark.parametrize("at", [("running", 0), ("running", 2), ("finished", 3)], ids=str)
def test_the_same_command_ends_with_what_an_undisturbed_run_leaves(cut, command, tmp_path, at, kind):
    shutil.copytree(cut[0].kept[*at, kind], tmp_path, dirs_exist_ok=True)
    outcome = command(*RUN)
    assert (outcome.status, outcome.err) == (0, "")
    state, epochs = at
    assert ("resuming after epoch 2" in outcome.out) == (epochs == 2)
    assert ("0 runs to train" in outcome.out) == (state == "finished")
    assert left_by(only_run(tmp_path)) == cut[1]


SHUT_DOWN, WITHOUT_THE_JOURNAL = 0x8004587D, 2  # EXT4_IOC_SHUTDOWN, EXT4_GOING_FLAGS_NOLOGFLUSH


@pytest.fixture
def disk(tmp_path):
    """An ext4 file system of its own: `disk.cut()` is a power cut, after which it is there again."""
    image, place = tmp_path / "image", tmp_path / "disk"
    image.touch()
    os.truncate(image, 64 << 20)
    place.mkdir()

    def mount():
        subprocess.run(["mount", "-o", "loop", image, place], check=True, capture_output=True)

    def cut():
        descriptor = os.open(place, os.O_RDONLY)
        fcntl.ioctl(descriptor, SHUT_DOWN, struct.pack("I", WITHOUT_THE_JOURNAL))
        os.close(descriptor)

    def again():
        subprocess.run(["umount", place], check=True)
        mount()

    try:
        subprocess.run(["mkfs.ext4", "-q", image], check=True, capture_output=True)
        mount()
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no file system of its own can be mounted: {error}")
    yield SimpleNamespace(place=place, cut=cut, again=again)
    subprocess.run(["umount", place], check=False)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["run.json finished", "last.ckpt 1", "last.ckpt 2"])
def test_a_real_file_system_that_loses_what_was_not_synced(cut, disk, command_in, monkeypatch, moment):
    """The cut comes just after the claim: a system would have written the rest half a minute later."""
    name, which = moment.split()
    replace = Path.replace
    seen = []

    def watched(self, target):
        result = replace(self, target)
        if target.name == name:
            seen.append(target)
            if str(len(seen)) == which or (which == "finished" and record(target.parent)["state"] == "finished"):
                durable.sync(target.parent)  # `replacing` does so next
                disk.cut()
        return result

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", watched)
        with contextlib.suppress(OSError):  # the command cannot even read what it left
            assert command_in(disk.place, *RUN).status == 1
    disk.again()
    again = command_in(disk.place, *RUN)
    assert again.status == 0, again
    assert ("0 runs to train" in again.out) == (which == "finished")
    assert which == "finished" or f"resuming after epoch {which}" in again.out
    assert left_by(only_run(disk.place)) == cut[1]
