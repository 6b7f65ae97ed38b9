"""What becomes of the runs that a study already has when a command asks for them."""

import re
import shutil
from datetime import UTC, datetime

import pytest
from finished_runs import left_by, only_run, record, run_folders, states
from forged_runs import run_record

from gradflow.errors import ConfigError
from gradflow.runs import integrity
from gradflow.runs.record import read_record, write_record
from gradflow.sweep import present

RUN = ("trainer=cpu", "model=mlp", "width=4", "blocks=1", "callbacks.pictures=null", "trainer.max_epochs=1")


@pytest.fixture(scope="module")
def finished(command_in, tmp_path_factory):
    root = tmp_path_factory.mktemp("finished")
    assert command_in(root, *RUN).status == 0
    return root


@pytest.fixture
def run(finished, tmp_path):
    shutil.copytree(finished / "outputs", tmp_path / "outputs")
    return only_run(tmp_path)


@pytest.fixture
def launched(monkeypatch):
    """The folders of runs that would be trained."""
    found = []
    monkeypatch.setattr("gradflow.sweep.jobs.run", lambda cfg, folder, **_: found.append(folder) or {})
    return found


def event_file(run):
    (file,) = run.glob("events.*")
    return file


HARM = {
    "empty": lambda file: file.write_bytes(b""),
    "short": lambda file: file.write_bytes(file.read_bytes()[:-1]),
    "missing": lambda file: file.unlink(),
    "zeros": lambda file: file.write_bytes(bytes(file.stat().st_size)),
}


@pytest.mark.parametrize("harm", HARM)
@pytest.mark.parametrize("says", [True, False], ids=["of today", "of before records named their files"])
def test_a_run_whose_curves_are_not_whole_is_kept_and_trained_again(command, run, launched, harm, says):
    if not says:
        if harm == "short":
            pytest.skip("nothing says how long the file was")
        write_record(run, record(run) | {"events": None})
    HARM[harm](event_file(run))
    before = {file.name: file.read_bytes() for file in run.iterdir() if file.is_file()}
    outcome = command(*RUN)
    assert outcome.status == 0
    assert launched == [run]
    assert "1 run to train in outputs/digits_mlp" in outcome.out
    said = r"^warning: outputs/\S+/seed=0: its curves are not whole \(.+\); it is kept under another name and trained"
    assert len(re.findall(said, outcome.out, re.MULTILINE)) == 1
    assert read_record(run)["state"] == "planned"
    (kept,) = run.parent.glob("replaced=*,seed=0")
    assert {file.name: file.read_bytes() for file in kept.iterdir() if file.is_file()} == before


def test_the_curves_of_a_run_that_is_done_are_checked_once(command, run, launched, monkeypatch):
    checked, damaged = [], integrity.damaged_curves
    monkeypatch.setattr(
        integrity, "damaged_curves", lambda folder, of: checked.append(folder.absolute()) or damaged(folder, of)
    )
    assert "0 runs to train" in command(*RUN).out
    assert checked == [run]


@pytest.mark.parametrize("says", [True, False], ids=["of today", "of before records named their files"])
def test_a_whole_run_is_done_and_so_is_one_without_curves(command, run, launched, says):
    if not says:
        write_record(run, record(run) | {"events": None})
    assert "0 runs to train" in command(*RUN).out
    write_record(run, record(run) | {"events": {}} | ({} if says else {"events": None, "overrides": ["logger=none"]}))
    event_file(run).unlink()
    outcome = command(*RUN)
    assert "0 runs to train" in outcome.out
    assert "warning" not in outcome.out
    assert launched == []


@pytest.mark.slow
def test_trained_again_it_is_what_it_was(command, run, tmp_path):
    whole = left_by(run)
    HARM["empty"](event_file(run))
    outcome = command(*RUN)
    assert outcome.status == 0
    assert outcome.out.count("its curves are not whole") == 1
    assert left_by(run) == whole
    assert [found.name for found in run_folders(tmp_path)] == ["seed=0"]
    assert states(tmp_path) == ["finished"]


def replace(folder, **more):
    """Plan a run in the place of what is there."""
    record = run_record(state="planned", **more)
    present.write(folder, present.Planned(record, "seed: 0\n", replace=True, runs_per_job=1))


def test_a_run_that_another_command_replaced_meanwhile_keeps_its_configuration(tmp_path):
    folder = tmp_path / "study" / "config" / "seed=0"
    replace(folder)
    was_done = present.Planned(run_record(state="planned"), "", replace=False, runs_per_job=1)
    with pytest.raises(ConfigError, match="another command has replaced this run meanwhile; give the command again"):
        present.write(folder, was_done)
    assert (folder / ".hydra" / "config.yaml").read_text() == "seed: 0\n"


class OneMoment(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz=None):
        return datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_runs_that_are_replaced_within_one_second_are_all_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(present, "datetime", OneMoment)
    folder = tmp_path / "study" / "config" / "seed=0"
    for attempts in range(4):
        replace(folder, attempts=attempts)
    names = ["2026-01-02T03-04-05", "2026-01-02T03-04-05~2", "2026-01-02T03-04-05~3"]
    kept = [read_record(folder.with_name(f"replaced={name},seed=0"))["attempts"] for name in names]
    assert [*kept, read_record(folder)["attempts"]] == [0, 1, 2, 3]
    assert len(list(folder.parent.iterdir())) == 4


def test_a_folder_that_is_named_like_a_replaced_one_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(present, "datetime", OneMoment)
    folder = tmp_path / "study" / "config" / "seed=0"
    write_record(folder, run_record())
    other = folder.with_name("replaced=2026-01-02T03-04-05,seed=0")
    other.mkdir()
    (other / "mine.txt").touch()
    replace(folder)
    assert [file.name for file in other.iterdir()] == ["mine.txt"]
