"""A full disk costs one line, no half-written file, and nothing that was there before."""

import subprocess

import pytest
from finished_runs import left_by, only_run, states
from power_cuts import full_disk

RUN = ("trainer=cpu", "model=mlp", "width=4", "blocks=1", "callbacks.pictures=null", "trainer.max_epochs=2")
REMEDY = r"cannot be written \(no space left on device\); free some space and give the same command again"


@pytest.fixture(scope="module")
def whole(command_in, tmp_path_factory):
    root = tmp_path_factory.mktemp("whole")
    assert command_in(root, *RUN).status == 0
    return left_by(only_run(root))


@pytest.mark.parametrize(
    ("file", "after"),
    [
        pytest.param("events.", 1, id="curves of the second epoch"),
        pytest.param("last.ckpt", 1, id="checkpoint of the second epoch", marks=pytest.mark.slow),
        pytest.param("samples.npz", 0, id="samples", marks=pytest.mark.slow),
        pytest.param("train.log", 0, id="what a finished run claims", marks=pytest.mark.slow),
    ],
)
def test_a_run_that_finds_no_space_fails_in_one_line(command, tmp_path, whole, file, after):
    with full_disk(file, after=after):
        outcome = command(*RUN)
    assert outcome.status == 1
    failed = "1 of 1 runs failed; see their run.json for the error; the same command takes them up again"
    assert outcome.err == f"gradflow: {failed}\n"
    (line,) = [line for line in outcome.out.splitlines() if line.startswith("failed:")]
    assert file in line
    assert line.endswith("cannot be written (no space left on device); free some space and give the same command again")
    _nothing_is_lost(command, tmp_path, whole)


@pytest.mark.parametrize("after", [0, 1, 2], ids=["planned", "running", "finished"])
def test_a_record_that_finds_no_space_is_one_line_and_the_old_one_stays(command, tmp_path, whole, after):
    with full_disk("run.json", after=after):
        outcome = command(*RUN)
    assert outcome.status == 1
    assert "Traceback" not in outcome.err
    assert "/run.json: cannot be written (no space left on device)" in outcome.err.splitlines()[-1]
    assert outcome.err.endswith("free some space and give the same command again\n")
    assert states(tmp_path) == [[], ["planned"], ["running"]][after]
    _nothing_is_lost(command, tmp_path, whole)


def _nothing_is_lost(command, root, whole):
    assert [file for file in (root / "outputs").rglob(".*") if file.suffix == ".part"] == []
    assert command(*RUN).status == 0
    assert left_by(only_run(root)) == whole


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own in memory, on which so many kilobytes are left."""
    mounted = []

    def with_space(kilobytes):
        place = tmp_path / f"disk{kilobytes}"
        place.mkdir()
        try:
            command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", place]
            subprocess.run(command, check=True, capture_output=True)
        except (FileNotFoundError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no file system of its own can be mounted: {error}")
        mounted.append(place)
        return place

    yield with_space
    for place in mounted:
        subprocess.run(["umount", place], check=False)


@pytest.mark.slow
@pytest.mark.parametrize("kilobytes", [8, 24, 40, 56, 72, 88, 104])
def test_a_disk_that_is_really_full(command_in, small_disk, whole, kilobytes):
    place = small_disk(kilobytes)
    outcome = command_in(place, *RUN)
    assert "Traceback" not in outcome.out + outcome.err
    assert "Exception ignored" not in outcome.err
    assert outcome.status == 1 or kilobytes > 50  # the curves alone take 20
    assert len(outcome.err.splitlines()) <= 2  # Hydra names the job
    assert list(place.rglob("*.part")) == []
    subprocess.run(["mount", "-o", "remount,size=8m", place], check=True)
    assert command_in(place, *RUN).status == 0
    assert left_by(only_run(place)) == whole
