"""Runs in processes of their own, and how they are stopped on the way.

Attributes:
    STARTED: the processes that `start` has started and `end_all` has not ended.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback

from gradflow import CONF

HERE = Path(__file__).parent
STARTED: list[subprocess.Popen] = []


class Pause(Callback):
    """Waits before an epoch until a file is there, or SIGTERM has come: time to do something to the run.

    Args:
        epoch: which, from 0 on.
        until: path of the file.
    """

    def __init__(self, epoch: int, until: str) -> None:
        self.epoch, self.until = epoch, Path(until)

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        while trainer.current_epoch == self.epoch and not (self.until.exists() or trainer.received_sigterm):
            time.sleep(0.02)


def pause(epoch: int, until: Path) -> tuple[str, ...]:
    """The overrides that put a `Pause` into a run."""
    values = {"_target_": "interruptions.Pause", "epoch": epoch, "until": f"'{until}'"}
    return tuple(f"+callbacks.pause.{key}={value}" for key, value in values.items())


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


def interrupt_after(command, monkeypatch, epochs: int, *arguments: str):
    """Ctrl-C at the end of an epoch, before its checkpoint is written; the command's outcome."""
    from gradflow.training.progress import RunProgress

    def interrupt(self, trainer, module):
        if trainer.current_epoch + 1 == epochs:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RunProgress, "on_train_epoch_end", interrupt)
        return command(*arguments)
