"""Commands in separate processes: what they print, how long they take and how much memory they need."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import machine

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
MIB = 2**20 if sys.platform == "darwin" else 2**10  # the unit of ru_maxrss: bytes there, KiB elsewhere


class Failed(Exception):
    """A command ended with a status other than 0.

    Attributes:
        status: the exit status.
    """

    def __init__(self, command: Sequence[str], status: int, said: str) -> None:
        super().__init__(f"{' '.join(command)}: exit status {status}\n{said}")
        self.status = status
        self.last_line = said.strip().splitlines()[-1] if said.strip() else ""


@dataclass(frozen=True)
class Finished:
    """A command that ended with status 0.

    Attributes:
        output: its standard output.
        started: when, in seconds since 1970.
        seconds: from start to end.
        peak_mib: the largest resident set of the process or of any of its children.
        others: cores that all other processes used at the same time, 0 if unknown.
    """

    output: str
    started: float
    seconds: float
    peak_mib: float
    others: float


def run(command: Sequence[str], *, threads: int | None, environment: Mapping[str, str] | None = None) -> Finished:
    """Run a command in the checkout and wait for it.

    Args:
        threads: of PyTorch and NumPy; None leaves the choice to the command.
        environment: variables to set.

    Raises:
        Failed: if its exit status is not 0.
    """
    variables = os.environ | dict(environment or {})
    variables.pop("OMP_NUM_THREADS", None)
    if threads is not None:
        variables["OMP_NUM_THREADS"] = str(threads)
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        started, busy = time.time(), machine.busy_seconds()
        process = subprocess.Popen(command, stdout=output, stderr=errors, cwd=ROOT, env=variables)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.time() - started
        others = (machine.busy_seconds() or 0) - (busy or 0) - usage.ru_utime - usage.ru_stime
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            raise Failed(command, process.returncode, output.read() + errors.read())
        return Finished(output.read(), started, seconds, usage.ru_maxrss / MIB, max(0, others / seconds) if busy else 0)


def script_seconds(finished: Finished) -> list[float]:
    """Seconds from the output of a script in this folder: one line per epoch or step, which ends in its seconds."""
    return [float(line.rsplit(maxsplit=1)[-1]) for line in finished.output.splitlines() if " seconds " in line]


def script(name: str, *arguments: str) -> list[str]:
    """The command for a script in this folder."""
    return [sys.executable, str(HERE / name), *arguments]
