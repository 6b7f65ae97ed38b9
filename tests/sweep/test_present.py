"""What becomes of the records of runs that are there already."""

from datetime import UTC, datetime

from forged_runs import run_record

from gradflow.runs.record import read_record, write_record
from gradflow.sweep import present


class OneMoment(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz=None):
        return datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_runs_that_are_replaced_within_one_second_are_all_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(present, "datetime", OneMoment)
    folder = tmp_path / "study" / "config" / "seed=0"
    for attempts in range(4):
        present.write(folder, run_record(state="planned") | {"attempts": attempts}, replace=True)
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
    present.write(folder, run_record(state="planned"), replace=True)
    assert [file.name for file in other.iterdir()] == ["mine.txt"]
