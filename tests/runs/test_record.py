"""run.json: what it holds, and that nobody ever sees half of it."""

import json
import math
from datetime import UTC, datetime

import pytest

from gradflow.errors import ConfigError
from gradflow.runs.record import Clock, planned_record, read_record, write_record


def planned(**more):
    axes = {"activation": "relu", "blocks": 4, "width": 8}
    return planned_record(
        study="study", config="activation=relu,blocks=4", config_hash="abc", axes=axes, seed=7, **more
    )


def test_a_planned_record_has_every_key_of_the_contract():
    record = planned(overrides=["activation=relu"])
    assert record == {
        "state": "planned",
        "study": "study",
        "config": "activation=relu,blocks=4",
        "axes": {"activation": "relu", "blocks": 4, "width": 8},
        "activation": "relu",
        "blocks": 4,
        "seed": 7,
        "config_hash": "abc",
        "attempts": 0,
        "metrics": {},
        "error": None,
        "started": None,
        "finished": None,
        "duration_s": None,
        "provenance": None,
        "overrides": ["activation=relu"],
    }


def test_what_is_written_is_read_again(tmp_path):
    write_record(tmp_path / "new" / "folder", planned())
    assert read_record(tmp_path / "new" / "folder") == planned()
    assert [file.name for file in (tmp_path / "new" / "folder").iterdir()] == ["run.json"]


def test_no_folder_and_a_file_in_the_way_are_no_record(tmp_path):
    assert read_record(tmp_path / "none") is None
    (tmp_path / "file").write_text("")
    assert read_record(tmp_path / "file") is None


def test_numbers_that_json_lacks_become_null(tmp_path):
    write_record(tmp_path, {"metrics": {"a": math.nan, "b": [math.inf, 1.5], "c": (-math.inf,)}})
    assert "NaN" not in (tmp_path / "run.json").read_text()
    assert read_record(tmp_path) == {"metrics": {"a": None, "b": [None, 1.5], "c": [None]}}


def test_a_write_that_fails_halfway_leaves_the_old_record(tmp_path, monkeypatch):
    write_record(tmp_path, {"state": "running"})

    def stops_halfway(record, file, **options):
        file.write(json.dumps(record)[:5])
        file.flush()
        assert read_record(tmp_path) == {"state": "running"}  # what a reader sees meanwhile
        raise OSError("no space left on device")

    monkeypatch.setattr(json, "dump", stops_halfway)
    with pytest.raises(OSError, match="no space"):
        write_record(tmp_path, {"state": "finished"})
    assert read_record(tmp_path) == {"state": "running"}


def test_a_damaged_record_is_named(tmp_path):
    (tmp_path / "run.json").write_text('{"state": "fini')
    with pytest.raises(ConfigError, match=r"run\.json: damaged.*move"):
        read_record(tmp_path)


def test_times_are_utc_and_durations_positive():
    clock = Clock()
    stopped = clock.stop()
    assert datetime.fromisoformat(clock.started).tzinfo == UTC
    assert datetime.fromisoformat(stopped["finished"]) >= datetime.fromisoformat(clock.started)
    assert 0 <= stopped["duration_s"] < 1
