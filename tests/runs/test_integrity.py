"""Whether curves are whole is told from the record, and from the content where that is asked for."""

import pytest
from forged_runs import write_events, write_run
from google_crc32c import value as crc32c

from gradflow.runs.integrity import damaged_curves, event_entries, missing_curves, said
from gradflow.runs.record import read_record

CURVES = {"loss": [3.0, 2.0, 1.0]}


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "study", curves=CURVES)


def event_file(run):
    (file,) = run.glob("events.*")
    return file


def faults(run, **changes):
    """By size, and by content."""
    record = read_record(run) | changes
    return missing_curves(run, record), damaged_curves(run, record)


def test_the_record_says_how_long_each_file_is_and_its_checksum(run):
    content = event_file(run).read_bytes()
    entry = {"bytes": len(content), "crc32c": f"{crc32c(content):08x}"}
    assert read_record(run)["events"] == event_entries(run) == {event_file(run).name: entry}
    assert faults(run) == (None, None)


def test_what_is_missing_or_short_is_seen_by_its_size(run):
    file = event_file(run)
    size = file.stat().st_size
    for content, fault in [(b"", f"{file.name} has 0 of {size} bytes"), (None, f"no {file.name}")]:
        file.unlink() if content is None else file.write_bytes(content)
        assert faults(run) == (fault, fault)


def test_other_content_of_the_same_size_is_seen_by_its_checksum(run):
    file = event_file(run)
    for content in (bytes(file.stat().st_size), file.read_bytes()[::-1]):
        file.write_bytes(content)
        assert faults(run) == (None, f"the content of {file.name} has changed")


def test_what_somebody_adds_is_no_fault(run):
    with event_file(run).open("ab") as file:
        file.write(b"more")
    write_events(run, {"theirs": [1.0]})
    assert faults(run) == (None, None)


@pytest.mark.parametrize("state", ["planned", "running", "interrupted", "failed"])
def test_only_a_run_that_has_ended_says_that_its_curves_are_whole(run, state):
    event_file(run).write_bytes(b"")
    assert faults(run, state=state) == (None, None)
    assert None not in faults(run, state="diverged")


def test_of_runs_that_were_cut_short_those_are_checked_that_have_nothing_left_to_train(run):
    event_file(run).write_bytes(b"")
    assert faults(run, state="cut_short", cut_short_by="trainer.max_time=00:08:00:00") == (None, None)
    assert None not in faults(run, state="cut_short", cut_short_by="trainer.max_steps=9")


def test_a_run_without_a_logger_has_no_curves_to_miss(run):
    event_file(run).unlink()
    assert faults(run, events={}) == (None, None)


def test_of_a_run_of_before_the_entry_one_file_is_expected_with_whole_records(run):
    file = event_file(run)
    assert faults(run, events=None) == (None, None)
    whole = file.read_bytes()
    file.write_bytes(whole[:-20] + bytes(20))
    by_size, by_content = faults(run, events=None)
    assert by_size is None
    assert by_content.startswith(f"{file.name}: damaged at byte ")
    file.write_bytes(b"")
    assert faults(run, events=None) == (f"{file.name} is empty",) * 2
    file.unlink()
    assert faults(run, events=None) == ("no event file",) * 2
    assert faults(run, events=None, overrides=["seed=1", "logger=none"]) == (None, None)


def test_one_line_names_run_fault_and_remedy(run):
    record = read_record(run)
    assert said(run, record, "no x") == (
        f"{run}: its curves are not whole (no x) and are left out; the same command trains it again"
    )
    assert said(run, record | {"identity": 1}, "no x").endswith("; train it again in another study")
