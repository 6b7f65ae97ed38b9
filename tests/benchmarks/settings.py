"""What all benchmarks of one invocation share."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import machine
import processes
from our_runs import Training, train
from processes import Finished


@dataclass(frozen=True)
class Settings:
    """Data and threads.

    Attributes:
        data_dir: a folder with MNIST in torchvision's layout.
        photos: an .npz file with random images in CIFAR-10's shape.
        threads: of scripts; train.py chooses its own.
        rounds: how many times the sides of a comparison are measured in turn.
        keras: a Python interpreter with Keras, if any.
        jax: a Python interpreter with JAX, if any.
    """

    data_dir: Path
    photos: Path
    threads: int
    rounds: int
    keras: Path | None = None
    jax: Path | None = None

    def train(self, *overrides: str) -> Training:
        """One call of train.py, which chooses its threads itself."""
        return train(overrides, data_dir=self.data_dir)

    def clocked(self, *overrides: str) -> dict[str, float]:
        """The same, timing the monitors' hooks: seconds of the whole run by class."""
        machine.wait_until_quiet()
        with tempfile.TemporaryDirectory() as folder:
            arguments = (*overrides, f"data_dir={self.data_dir}", f"output_dir={folder}")
            lines = self.script("monitor_seconds.py", *arguments).output.splitlines()
        named = [line.split(": seconds ") for line in lines if ": seconds " in line]
        return {name: float(seconds) for name, seconds in named}

    def script(self, name: str, *arguments: str) -> Finished:
        """One call of a script in this folder."""
        return self.command(processes.script(name, *arguments))

    def command(self, command: Sequence[str], *, pinned: bool = True) -> Finished:
        """One call of any command; without `pinned`, it takes the cores that it finds."""
        own = {"PYTHONPATH": str(processes.HERE)}
        return processes.run(command, threads=self.threads if pinned else None, environment=own)
