"""Commands in processes of their own.

Attributes:
    STARTED: the processes that `start` has started and `end_all` has not ended.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gradflow import CONF

HERE = Path(__file__).parent
STARTED: list[subprocess.Popen] = []


def start(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None, **options: Any
) -> subprocess.Popen:
    """`python train.py *arguments` with `folder` as working directory; `options` are those of Popen."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, str(CONF.parent / "train.py"), *arguments]
    environment = os.environ | {"PYTHONPATH": paths} | dict(environment or {})
    STARTED.append(subprocess.Popen(command, cwd=folder, env=environment, **options))
    return STARTED[-1]


def end_all() -> None:
    """Kill what `start` has started and still runs, as a test that failed on the way leaves it."""
    while STARTED:
        with STARTED.pop() as process:
            process.kill()


def processes_with(variable: str) -> list[str]:
    """The command lines of all processes that were started, by whomever, with this entry in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()  # empty for a zombie
            if variable.encode() in environment.split(b"\0"):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:  # it has just ended
            continue
    return found
