"""run.json: what it holds, and that no reader ever sees half of it."""

import json
import math
from datetime import UTC, datetime

import pytest
from power_cuts import full_disk

from gradflow.errors import CannotWrite, ConfigError
from gradflow.runs.record import IDENTITY, Clock, Record, error_entry, now, planned_record, read_record, write_record


def planned(**more):
    axes = {"activation": "relu", "blocks": 4, "width": 8}
    names = {"study": "study", "config": "activation=relu,blocks=4", "config_hash": "abc", "headline": "test/acc"}
    return planned_record(**names, axes=axes, seed=7, **more)


def test_a_planned_record_has_every_key_of_the_contract():
    record = planned(overrides=["activation=relu"])
    assert set(record) == set(Record.__annotations__)
    assert (record["state"], record["attempts"], record["metrics"]) == ("planned", 0, {})
    assert (record["activation"], record["blocks"], record["overrides"]) == ("relu", 4, ["activation=relu"])
    before_the_first_attempt = ("error", "started", "finished", "duration_s", "provenance", "parameters")
    assert all(record[key] is None for key in before_the_first_attempt)


def test_what_is_written_is_read_again(tmp_path):
    write_record(tmp_path / "new" / "folder", planned())
    assert read_record(tmp_path / "new" / "folder") == planned()
    assert [file.name for file in (tmp_path / "new" / "folder").iterdir()] == ["run.json"]


def test_no_folder_and_a_file_in_the_way_are_no_record(tmp_path):
    assert read_record(tmp_path / "none") is None
    (tmp_path / "file").write_text("")
    assert read_record(tmp_path / "file") is None


def test_numbers_that_json_lacks_become_null(tmp_path):
    write_record(tmp_path, planned() | {"metrics": {"a": math.nan, "b": math.inf, "c": 1.5}})
    assert "NaN" not in (tmp_path / "run.json").read_text()
    assert read_record(tmp_path)["metrics"] == {"a": None, "b": None, "c": 1.5}


def test_a_write_that_fails_leaves_the_old_record(tmp_path):
    running = planned() | {"state": "running"}
    write_record(tmp_path, running)
    with full_disk("run.json"), pytest.raises(CannotWrite, match="no space left"):
        write_record(tmp_path, planned() | {"state": "finished"})
    assert read_record(tmp_path) == running
    assert [file.name for file in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    "content",
    [
        b'{"state": "fini',
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        json.dumps(planned() | {"metrics": None}).encode(),
        json.dumps(planned() | {"state": "asleep"}).encode(),
        json.dumps({key: value for key, value in planned().items() if key != "seed"}).encode(),
        json.dumps(planned() | {"metrics": {"test/acc": "high"}}).encode(),
        json.dumps(planned() | {"blocks": "two"}).encode(),
        json.dumps(planned() | {"content": {"data.path": 3}}).encode(),
        json.dumps(planned() | {"declared_metrics": None}).encode(),
        json.dumps(planned() | {"error": {"type": "ValueError"}}).encode(),
    ],
    ids=[
        *("cut short", "empty", "no text", "a list", "no entries", "no metrics", "no such state", "no seed"),
        *("a metric that is no number", "blocks in words", "no hash", "no list", "half an error"),
    ],
)
def test_a_damaged_record_is_named(tmp_path, content):
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(ConfigError, match=r"run\.json: damaged.*move"):
        read_record(tmp_path)


def test_what_an_older_version_did_not_write_is_filled_in(tmp_path):
    older = {key: value for key, value in planned().items() if key not in ("declared_metrics", "sigmoid_like", "lr")}
    (tmp_path / "run.json").write_text(json.dumps(older))
    assert read_record(tmp_path) == planned()


def test_a_record_that_does_not_say_its_version_is_of_the_first(tmp_path):
    assert planned()["identity"] == IDENTITY > 1
    older = {key: value for key, value in planned().items() if key not in ("identity", "content")}
    (tmp_path / "run.json").write_text(json.dumps(older))
    assert read_record(tmp_path) == planned() | {"identity": 1, "content": {}}


def test_what_a_newer_version_adds_is_kept(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps(planned() | {"mood": "good", "duration_s": 3}))
    assert read_record(tmp_path) == planned() | {"mood": "good", "duration_s": 3}


def test_times_are_utc_and_durations_positive():
    clock = Clock()
    assert datetime.fromisoformat(clock.started).tzinfo == UTC
    assert datetime.fromisoformat(now()) >= datetime.fromisoformat(clock.started)
    assert 0 <= clock.seconds <= Clock(after=60.0).seconds - 59.0


def test_what_a_failure_and_a_start_from_a_copy_say_is_kept(tmp_path):
    start = {"folder": "activation=relu/seed=0", "epoch": 3, "provenance": {"torch": "2.15.0"}}
    record = planned(length={"trainer.max_epochs": 3}, lengthless_hash="def") | {"started_from": start}
    write_record(tmp_path, record | {"error": error_entry(MemoryError(), may_pass=True)})
    found = read_record(tmp_path)
    assert (found["started_from"], found["error"]["may_pass"], found["length"]) == (start, True, record["length"])
    write_record(tmp_path, record | {"error": {"type": "MemoryError", "message": "", "traceback": []}})
    assert "may_pass" not in read_record(tmp_path)["error"]
