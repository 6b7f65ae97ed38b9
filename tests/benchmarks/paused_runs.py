"""Runs of train.py that take turns on the machine: each is stopped by a signal while another is measured.

So that all of them are measured under the same conditions, within seconds of each other, without being started anew.
How fast a run was in its turn follows from the times of its steps, which its event file holds.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from our_runs import moments
from processes import ROOT, Failed

from gradflow.runs import folders, tags

FOREVER = "trainer.max_epochs=100000"
SETTLING_S = 0.3  # at the start of a turn, not measured
LOOKS_EVERY_S = 0.1
LIMIT_S = 120.0  # until an epoch of a run that has the machine to itself has ended
OPENMP = ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
# Busy with plain Python until its parent is gone.
BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    for _ in range(1000000): pass"


@dataclass(frozen=True)
class Rate:
    """How fast a run was in a turn.

    Attributes:
        seconds: of a step, on average, without what lies between epochs.
        bound: whether that is only a lower bound, as fewer than two steps ended in the turn.
    """

    seconds: float
    bound: bool = False


def rate(steps: Sequence[float], validations: Sequence[float], start: float, end: float) -> Rate:
    """The rate between two moments.

    Args:
        steps: when each ended, in order.
        validations: when each epoch's ended, in order.
    """
    within = np.array([moment for moment in steps if start <= moment <= end])
    if len(within) < 2:
        return Rate((end - start) / (len(within) + 1), bound=True)
    epoch, gaps = np.searchsorted(validations, within), np.diff(within)
    of_one_epoch = gaps[np.diff(epoch) == 0]
    return Rate(float((of_one_epoch if len(of_one_epoch) else gaps).mean()))


class PausedRun:
    """One run of train.py, stopped but for its turns. Every method raises `Failed` if it ends or hangs.

    Args:
        process: leads a process group of its own.
        output: of the process.
        folder: where it writes.
    """

    def __init__(self, process: subprocess.Popen, *, output: IO[str], folder: Path) -> None:
        self._process, self._output, self._folder = process, output, folder
        self._turns: list[tuple[float, float]] = []

    def stop_before_training(self) -> None:
        """Stop as soon as there is an event file: imports are over."""
        self._wait(lambda: any(self._event_files()))

    def train_an_epoch(self) -> None:
        """Go on until a step that is taken from now on is in the event file, which an epoch's end writes."""
        now = time.time()
        self._signal(signal.SIGCONT)
        self._wait(lambda: any(moment > now for moment in self._moments(tags.TRAIN_LOSS_STEP)))

    def _wait(self, done: Callable[[], bool]) -> None:
        """Let it run until something is true, then stop it."""
        end = time.time() + LIMIT_S
        while not done():
            if self._process.poll() is not None or time.time() > end:
                self._output.seek(0)
                raise Failed(self._process.args, self._process.returncode or 0, self._output.read())
            time.sleep(LOOKS_EVERY_S)
        self._signal(signal.SIGSTOP)

    def turn(self, seconds: float) -> None:
        """Train for so long, and stop."""
        self._signal(signal.SIGCONT)
        time.sleep(SETTLING_S)
        start = time.time()
        time.sleep(seconds)
        self._turns.append((start, time.time()))
        self._signal(signal.SIGSTOP)

    def rates(self) -> list[Rate]:
        """Those of all turns in order."""
        self.train_an_epoch()
        steps, validations = self._moments(tags.TRAIN_LOSS_STEP), self._moments(tags.val(tags.LOSS))
        return [rate(steps, validations, start, end) for start, end in self._turns]

    def _event_files(self) -> Iterator[Path]:
        return self._folder.glob(f"*/*/seed=*/{folders.EVENT_FILES}")

    def _moments(self, tag: str) -> list[float]:
        """When the points of a curve were recorded that are in the event file."""
        return sorted(
            moment for folder in {file.parent for file in self._event_files()} for moment in moments(folder, tag)
        )

    def _signal(self, number: signal.Signals) -> None:
        os.killpg(self._process.pid, number)


@contextmanager
def paused_run(overrides: Sequence[str], environment: Mapping[str, str]) -> Iterator[PausedRun]:
    """A run that has been started; it ends with the context.

    Args:
        overrides: of train.py.
        environment: OpenMP's variables; those of this process are not inherited.
    """
    variables = {name: value for name, value in os.environ.items() if name not in OPENMP} | dict(environment)
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as output:
        command = [sys.executable, str(ROOT / "train.py"), "-m", *overrides, FOREVER, f"output_dir={folder}"]
        # Signals to the group reach what a launcher starts too. If this process is killed, the system ends the group.
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=ROOT, env=variables, process_group=0)
        try:
            yield PausedRun(process, output=output, folder=Path(folder))
        finally:
            with suppress(ProcessLookupError):  # it has ended
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def busy_processes(number: int) -> Iterator[None]:
    """So many processes that compute without pause."""
    started = [subprocess.Popen([sys.executable, "-S", "-c", BUSY]) for _ in range(number)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()
