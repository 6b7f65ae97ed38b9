"""One live display for a whole sweep: what it prints, and that it leaves the terminal as it was."""

import contextlib
import fcntl
import io
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading

import pytest
from forged_runs import run_record
from interruptions import pause
from own_processes import start
from waiting import PATIENCE_S, wait_until

from gradflow import terminal
from gradflow.runs.folders import PROGRESS_FILE
from gradflow.runs.record import State, read_record, write_record
from gradflow.sweep import live
from gradflow.sweep.plan import PlannedRun

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


@pytest.fixture
def screen(monkeypatch):
    """What a terminal of 80 columns is sent."""
    stream = io.StringIO()
    console = terminal.PrintableConsole(file=stream, force_terminal=True, width=80, height=24, highlight=False)
    monkeypatch.setattr(terminal, "console", console)
    return stream


@pytest.fixture
def runs(tmp_path):
    found = [PlannedRun(tmp_path / "study" / f"activation=relu,blocks={n}" / "seed=0") for n in (1, 2)]
    for run, blocks in zip(found, (1, 2), strict=True):
        write_record(run.folder, run_record(blocks=blocks, state=State.PLANNED))
    return found


def finish(run, accuracy):
    record = read_record(run.folder)
    ended = {"state": State.FINISHED, "attempts": 1, "metrics": {record["headline"]: accuracy}, "duration_s": 61.23}
    write_record(run.folder, record | ended)


def plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


def test_results_and_what_workers_say_are_printed_above_it(screen, runs):
    with live.shown(runs, runs) as said:
        finish(runs[1], 0.5)
        with said.open("a") as file:
            file.write("warning: a loader is slow\nhalf a li")
    text = plain(screen.getvalue())
    assert "run 2 of 2: relu, blocks=2: finished, test/acc_at_best 0.500 in 61.2 s\n" in text
    assert "warning: a loader is slow\n" in text
    assert "half a li" not in text
    assert "1 of 2 runs  ━" in text


@pytest.mark.parametrize("ending", [None, KeyboardInterrupt, SystemExit, OSError])
def test_however_it_ends_the_cursor_is_there_and_the_threads_are_not(screen, runs, ending):
    try:
        with live.shown(runs, runs) as said:
            assert terminal.is_followed()
            if ending:
                raise ending
    except BaseException as error:
        assert type(error) is ending  # noqa: PT017 - of the parameter, None included
    assert not terminal.is_followed()
    assert not said.exists()
    assert screen.getvalue().rfind(SHOW) > screen.getvalue().rfind(HIDE)
    assert screen.getvalue().index(SHOW) < screen.getvalue().index("runs")  # so that a kill does no harm


@pytest.mark.parametrize("options", [{"force_terminal": False}, {"force_terminal": True, "force_interactive": False}])
def test_without_a_terminal_that_can_be_drawn_on_there_is_none(monkeypatch, runs, options):
    stream = io.StringIO()
    monkeypatch.setattr(terminal, "console", terminal.PrintableConsole(file=stream, **options))
    with live.shown(runs, runs) as said:
        assert (said, terminal.is_followed()) == (None, False)
    assert stream.getvalue() == ""


def test_a_sweep_with_nothing_to_train_displays_nothing(screen, runs):
    with live.shown(runs, []) as said:
        assert said is None
    assert screen.getvalue() == ""


WORKER = """
import os
from pathlib import Path
from gradflow import terminal
from gradflow.sweep.live import said_into

print("before")
for file in (None, Path("said")):
    with said_into(file):
        print("from Python, followed:", terminal.is_followed())
        os.write(2, b"from C\\n")
print("after")
"""


@pytest.mark.slow
def test_a_worker_prints_into_the_file_and_then_where_it_did_before(tmp_path):
    file = tmp_path / "said"
    file.touch()
    done = subprocess.run([sys.executable, "-c", WORKER], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["before", "from Python, followed: False", "after"]
    assert done.stderr == "from C\n"
    assert sorted(file.read_text().splitlines()) == ["from C", "from Python, followed: True"]


@pytest.mark.slow
def test_a_joblib_sweep_on_a_terminal_shows_its_workers_and_ctrl_c_leaves_all_in_order(tmp_path):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
    small = ("trainer=cpu", "model=mlp", "width=4", "threads=1", "callbacks.pictures=null", "trainer.max_epochs=3")
    sweep = ("-m", "blocks=1,2", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", *small)
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
    arguments = (*sweep, *pause(1, until=tmp_path / "go"))
    process = start(tmp_path, *arguments, environment={"TERM": "xterm"}, start_new_session=True, **streams)
    os.close(theirs)
    received = bytearray()
    reader = threading.Thread(target=_read_all, args=(ours, received), daemon=True)
    reader.start()
    try:
        both = rb"run 1  relu, blocks=1  epoch \d of 3.*\s+run 2  relu, blocks=2  epoch \d of 3"
        assert wait_until(lambda: re.search(both, received), process=process), bytes(received)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(PATIENCE_S) == 128 + signal.SIGINT
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        reader.join(PATIENCE_S)
        os.close(ours)
    text = received.decode()
    assert "0 of 2 runs done, 2 left: the same command goes on from here\r\n" in plain(text)
    assert text.rfind(SHOW) > text.rfind(HIDE)
    assert not list(tmp_path.rglob(PROGRESS_FILE))


def _read_all(descriptor, received):
    with contextlib.suppress(OSError):  # when the last process has closed the other end
        while more := os.read(descriptor, 4096):
            received += more
