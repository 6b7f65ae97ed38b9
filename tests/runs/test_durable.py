"""A file is the old one or the new one, at any moment and after a power cut; no half-written file is left."""

import errno
import os
import pickle
import subprocess
import sys

import pytest
from power_cuts import full_disk, recorded

from gradflow.errors import CannotWrite
from gradflow.runs import durable


def test_a_power_cut_leaves_the_old_file_or_the_new_one(tmp_path):
    file = tmp_path / "claim"
    found = []
    with recorded(tmp_path, lambda synced, named: found.extend((synced.get("claim"), named.get("claim")))):
        for content in (b"old", b"new"):
            with durable.replacing(file) as part:
                part.write(content)
    assert set(found) == {None, b"old", b"new"}
    assert found[-2:] == [b"new", b"new"]
    assert None not in found[found.index(b"old") + 1 :: 2]


def test_a_new_folder_outlasts_a_power_cut_with_its_parents(tmp_path):
    found = []
    with recorded(tmp_path, lambda synced, named: found.append(synced)):
        durable.make_folder(tmp_path / "a" / "b" / "c")
        durable.make_folder(tmp_path / "a" / "b")
    assert found[-1] == {"a": {"b": {"c": {}}}}
    assert len(found) == 3  # nothing is waited for where nothing is new


def test_a_tree_is_synced_with_all_that_is_in_it_but_pipes(tmp_path):
    (tmp_path / "run" / "inside").mkdir(parents=True)
    for name in ("one", "inside/two"):
        (tmp_path / "run" / name).write_text(name)
    os.mkfifo(tmp_path / "run" / "pipe")
    found = []
    with recorded(tmp_path, lambda synced, named: found.append(named)):
        durable.sync_tree(tmp_path / "run")
    assert found[-1] == {"run": {"one": b"one", "inside": {"two": b"inside/two"}, "pipe": b""}}


def test_a_full_disk_is_one_line_with_the_file_and_leaves_it_as_it_was(tmp_path):
    file = tmp_path / "claim"
    file.write_bytes(b"old")
    with full_disk("claim"), pytest.raises(CannotWrite) as raised, durable.replacing(file) as part:
        part.write(b"new")
    said = f"{file}: cannot be written (no space left on device); free some space and give the same command again"
    assert str(raised.value) == str(pickle.loads(pickle.dumps(raised.value))) == said
    assert raised.value.errno == errno.ENOSPC
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("claim", b"old")]


def test_any_other_error_leaves_no_trace_either(tmp_path):
    with pytest.raises(KeyboardInterrupt), durable.replacing(tmp_path / "claim"):
        raise KeyboardInterrupt
    with pytest.raises(CannotWrite, match=r"claim: cannot be written \(no such file or directory\)"):  # noqa: SIM117
        with durable.replacing(tmp_path / "none" / "claim"):
            pass
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_had_half_written_can_be_removed(tmp_path):
    program = (
        "import os, pathlib, sys; from gradflow.runs import durable\n"
        "with durable.replacing(pathlib.Path(sys.argv[1])) as file:\n    os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "last.ckpt")], check=False)
    assert len(list(tmp_path.iterdir())) == 1
    durable.remove_parts(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_timeout_is_no_failure_to_write(tmp_path):
    with pytest.raises(TimeoutError), durable.naming(tmp_path):
        raise TimeoutError
