"""How a process ends: once and cleanly at Ctrl-C and SIGTERM, for certain at a second one, and with its parent.

A signal raises `Signalled` wherever the program is. It is no KeyboardInterrupt: Lightning answers that by ignoring
Ctrl-C from then on and exiting with status 1.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM)
PATIENCE_S = 10.0  # what an end may still take once it has been asked for twice
LOOKS_EVERY_S = 0.5  # at whether the parent is still there


class Signalled(SystemExit):
    """A signal ended the program; its code, as a shell shows it, is 128 + signal."""

    def __str__(self) -> str:
        return signal.Signals(int(self.code or 0) - 128).name


def status_of(error: BaseException) -> int:
    """The exit status of a program that a signal has ended."""
    return int(error.code or 0) if isinstance(error, Signalled) else 128 + signal.SIGINT


class Listener:
    """A handler of signals: the first raises `Signalled`, so that runs and files are left in order.

    Further ones do not disturb that, but whatever hangs is killed with all its processes after `PATIENCE_S`.

    Attributes:
        told: the first signal that came.
    """

    def __init__(self) -> None:
        self.told: int | None = None
        self._insisted = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.told is None:
            self.told = number
            raise Signalled(128 + number)
        if not self._insisted:
            self._insisted = True
            timer = threading.Timer(PATIENCE_S, end_at_once, [128 + self.told])
            timer.daemon = True
            try:
                timer.start()
            except RuntimeError:  # the interpreter is shutting down, and starts no more threads
                end_at_once(128 + self.told)


def listen(numbers: Iterable[int] = ENDING) -> Listener:
    """Handle these signals from now on; a process that does so already goes on as it is.

    Ctrl-C stays ignored where the shell has it ignored: it is meant for what runs in the foreground.
    """
    present = signal.getsignal(signal.SIGTERM)
    listener = present if isinstance(present, Listener) else Listener()
    for number in numbers:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, listener)
    return listener


@contextmanager
def listening() -> Iterator[Listener]:
    """Handle the signals of a launcher's job, and give them back: SIGUSR2 too where the launcher handles it."""
    before = {number: signal.getsignal(number) for number in (*ENDING, signal.SIGUSR2)}
    if not callable(before[signal.SIGUSR2]):
        del before[signal.SIGUSR2]
    try:
        yield listen(before)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_at_once(status: int) -> None:
    """End without cleaning up, and with it the processes that `multiprocessing` has started."""
    kill_children()
    os._exit(status)


def kill_children() -> None:
    """Kill the processes that `multiprocessing` has started."""
    for process in multiprocessing.active_children():
        if process.pid is not None:
            os.kill(process.pid, signal.SIGKILL)  # loky's have no method for it


def die_by(number: int) -> None:
    """End as if the signal had not been handled: a pool notices that, unlike an exit."""
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)


def end_with_parent(*, patience_s: float = PATIENCE_S) -> None:
    """Let a worker that `multiprocessing` has started end when its parent does, however that ended.

    It is asked by SIGTERM first, then killed. The process that the user started has no such parent: nothing happens.

    Args:
        patience_s: seconds between the two.
    """
    parent = multiprocessing.parent_process()
    if parent is not None and not any(thread.name == end_with_parent.__name__ for thread in threading.enumerate()):
        arguments = (parent.pid, patience_s)
        threading.Thread(target=_watch, args=arguments, name=end_with_parent.__name__, daemon=True).start()


def _watch(parent: int | None, patience_s: float) -> None:
    while os.getppid() == parent:
        time.sleep(LOOKS_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(patience_s)
    end_at_once(128 + signal.SIGTERM)
