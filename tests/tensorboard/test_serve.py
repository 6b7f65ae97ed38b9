"""TensorBoard is served, waits for its runs, and its plain address leads to the first look."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest
from filelock import FileLock
from forged_runs import typical, write_run
from waiting import PATIENCE_S, wait_until

from gradflow.study.averages import average_study
from gradflow.study.records import study_runs
from gradflow.tensorboard import __main__ as command
from gradflow.tensorboard import folder as folder_module
from gradflow.tensorboard.__main__ import main
from gradflow.tensorboard.first_look import BoardStudy
from gradflow.tensorboard.folder import served
from gradflow.tensorboard.serve import OpensAt


def write(study, **more):
    for blocks in (2, 4):
        write_run(study, **typical(blocks=blocks), **more)


def answered(path, query=""):
    """What comes of a request to an application that is put behind `OpensAt`."""
    application = OpensAt(lambda environ, start: [b"page"], "smoothing=0")
    return b"".join(application({"PATH_INFO": path, "QUERY_STRING": query}, lambda *_: None))


def test_the_plain_address_leads_on_and_every_other_is_tensorboards():
    assert b'location.replace("/?" + "smoothing=0" + location.hash)' in answered("/")
    assert answered("/", "darkMode=true") == b"page"
    assert answered("/data/runs") == b"page"


def test_a_folder_without_runs_or_without_curves_is_refused(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"gradflow: {tmp_path}: no runs here; name a study, e.g. outputs/digits_conv, or a folder of studies\n"
    )
    write_run(tmp_path, state="running")
    assert main([str(tmp_path)]) == 2
    assert capsys.readouterr().err.endswith("no run has curves yet; they come with the first epoch\n")


@pytest.mark.slow
def test_a_port_that_is_taken_is_said_in_one_line(tmp_path):
    write(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        typed = [sys.executable, "-m", "gradflow.tensorboard", str(tmp_path), "--port", str(port)]
        ended = subprocess.run(typed, capture_output=True, text=True, timeout=PATIENCE_S)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"gradflow: --port {port}: ")
    assert "already in use; name another, e.g. --port" in ended.stderr
    assert ended.stderr.count("\n") == 1


def board(folder, place=None):
    return BoardStudy(name="", folder=folder, place=place or folder, records=study_runs(folder))


def test_of_too_many_runs_the_averages_are_served(tmp_path, monkeypatch):
    for seed in range(2):
        write(tmp_path, seed=seed)
    average_study(tmp_path, study_runs(tmp_path))
    with served(tmp_path, [board(tmp_path)]) as every:
        assert (every.folder, every.left_out) == (tmp_path, "")
    monkeypatch.setattr(folder_module, "MOST_SELECTED", 6)
    with served(tmp_path, [board(tmp_path)]) as shown:
        links = shown.folder
        runs = {str(link.relative_to(links)) for link in links.rglob("*") if link.is_symlink()}
        assert runs == set(shown.awaited)
        assert all(any((links / run).glob("events*")) for run in runs)
        assert len(runs) == 5  # two means, and mean, lower and upper against depth
        assert "only averages are shown" in shown.left_out
    assert not links.exists()
    assert list(tmp_path.rglob("events*"))


@pytest.mark.slow
def test_a_study_is_averaged_served_and_left_at_ctrl_c(tmp_path):
    write(tmp_path / "s", seed=0)
    write(tmp_path / "s", seed=1)
    typed = [sys.executable, "-m", "gradflow.tensorboard", str(tmp_path / "s"), "--no-browser"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([*typed, "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    address = f"http://127.0.0.1:{port}"

    def runs():
        try:
            with urllib.request.urlopen(f"{address}/data/runs", timeout=PATIENCE_S) as answer:
                return set(json.load(answer))
        except OSError:  # not yet
            return set()

    assert wait_until(lambda: "summary/activation=relu/mean" in runs(), process=process)
    with urllib.request.urlopen(f"{address}/", timeout=PATIENCE_S) as page:
        assert b"pinnedCards=" in page.read()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (0, "")
    assert out.startswith(f"TensorBoard: {address} ")
    assert f"ssh -N -L {port}:127.0.0.1:{port} " in out


def test_a_study_that_may_only_be_read_is_shown_as_it_is(tmp_path, monkeypatch, capsys):
    write(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(FileLock, "acquire", refuse)
    monkeypatch.setattr(command, "start", lambda *_, **__: "http://127.0.0.1:1")
    monkeypatch.setattr(command, "has_read", lambda _, runs: "activation=relu,blocks=4/seed=0" in runs)
    monkeypatch.setattr(command, "work", lambda: None)
    assert main([str(tmp_path), "--no-browser"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"averages are not up to date: {tmp_path}: may not be written to; name a folder")
    assert "every run is shown" in said
    assert "still reading" not in said
