"""How a process ends at signals, and with its parent."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from waiting import PATIENCE_S, wait_until

from gradflow import signals


@pytest.fixture
def restored() -> Iterator[None]:
    numbers = (*signals.ENDING, signal.SIGUSR2)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", signals.ENDING)
def test_the_first_signal_ends_the_program_and_a_second_does_not_disturb_that(restored, monkeypatch, number):
    killed = []
    monkeypatch.setattr(signals, "end_at_once", killed.append)
    monkeypatch.setattr(signals, "PATIENCE_S", 0.01)
    listener = signals.listen()
    assert signals.listen() is listener
    with pytest.raises(signals.Signalled) as ending:
        signal.raise_signal(number)
    assert (ending.value.code, str(ending.value), listener.told) == (128 + number, number.name, number)
    assert not killed
    for _ in range(3):
        signal.raise_signal(signal.SIGINT)
    assert wait_until(lambda: killed)
    assert killed == [128 + number]  # what hangs is killed once, with the status of the first signal


def test_an_ending_can_be_handed_on_by_any_launcher():
    found = pickle.loads(pickle.dumps(signals.Signalled(143)))
    assert (found.code, str(found), signals.status_of(found)) == (143, "SIGTERM", 143)
    assert signals.status_of(KeyboardInterrupt()) == 130


def test_ctrl_c_stays_ignored_in_what_a_shell_runs_in_the_background(restored):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signals.listen()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_a_job_gives_the_signals_of_its_launcher_back(restored):
    def mine(*_: object) -> None:
        pass

    for number in (*signals.ENDING, signal.SIGUSR2):
        signal.signal(number, mine)
    with pytest.raises(signals.Signalled), signals.listening():
        signal.raise_signal(signal.SIGUSR2)
    assert {signal.getsignal(number) for number in (*signals.ENDING, signal.SIGUSR2)} == {mine}


HANGING = """
import signal, time
from gradflow import signals
signals.PATIENCE_S = 0.2
signals.listen()
try:
    print("ready", flush=True)
    time.sleep(600)
finally:
    print("ending", flush=True)
    time.sleep(600)
"""


def test_what_hangs_ends_at_the_second_ctrl_c():
    process = subprocess.Popen([sys.executable, "-c", HANGING], stdout=subprocess.PIPE, text=True)
    for word in ("ready", "ending"):
        assert process.stdout.readline().strip() == word
        process.send_signal(signal.SIGINT)
    assert process.wait(timeout=PATIENCE_S) == 130
    process.stdout.close()


def stay(pid) -> None:
    signals.end_with_parent(patience_s=0.0)
    signals.end_with_parent(patience_s=0.0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pid.value = os.getpid()
    time.sleep(600)


def be_a_parent(pid) -> None:
    multiprocessing.get_context("spawn").Process(target=stay, args=(pid,)).start()
    time.sleep(600)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_a_worker_ends_with_its_parent_however_that_ended():
    context = multiprocessing.get_context("spawn")
    pid = context.Value("i", 0)
    parent = context.Process(target=be_a_parent, args=(pid,))
    parent.start()
    assert wait_until(lambda: pid.value)
    assert is_alive(pid.value)
    parent.kill()
    parent.join()
    assert wait_until(lambda: not is_alive(pid.value))
    parent.close()
