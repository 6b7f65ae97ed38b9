"""What the parts of a check of a GPU share: device, size, time, data, where findings go."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gpu_findings import Check, Findings, Table
from gpu_size import Size


@dataclass(frozen=True)
class Settings:
    """Of one part.

    Attributes:
        device: cuda or cpu.
        size: how much is computed.
        until: when the part has to end, in seconds since 1970.
        folder: for its own files.
        part: its name.
        findings: where its results go.
    """

    device: str
    size: Size
    until: float
    folder: Path
    part: str
    findings: Findings

    @property
    def trainer(self) -> str:
        """The override that trains on the device."""
        return "trainer=gpu" if self.device == "cuda" else "trainer=cpu"

    @property
    def seconds_left(self) -> float:
        return self.until - time.time()

    def add(self, found: Check | Table) -> None:
        self.findings.add(self.part, found)

    def has_time_for(self, what: str, seconds: float) -> bool:
        """Whether there are so many seconds left; if not, the findings say what was left out."""
        if seconds <= self.seconds_left:
            return True
        self.findings.leave_out(f"{what}: no time left (--minutes)")
        return False

    def photos(self, images: int, held_out: int) -> Path:
        """A file of random images in the shape of the conv stack's."""
        side = self.size.side
        return self._noise(f"photos_{images}_{held_out}", (images, side, side, 3), (held_out, side, side, 3))

    def digits(self) -> Path:
        """A file of random images in the shape of the MLP's."""
        side, held_out = self.size.mlp_inputs, self.size.held_out
        return self._noise("mlp", (self.size.mlp_images, side, side), (held_out, side, side))

    def _noise(self, name: str, train: tuple[int, ...], test: tuple[int, ...]) -> Path:
        file = self.folder / f"{name}.npz"
        if not file.exists():
            generator = np.random.default_rng(0)
            arrays = {}
            for part, shape in (("train", train), ("test", test)):
                arrays[f"x_{part}"] = generator.integers(256, size=shape, dtype=np.uint8)
                arrays[f"y_{part}"] = generator.integers(10, size=shape[0])
            self.folder.mkdir(parents=True, exist_ok=True)
            np.savez(file, **arrays)
        return file


def python_path() -> str:
    """For processes that import the callbacks of this folder."""
    return os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])


Work = Callable[[Settings], Iterator[Check | Table]]


def carry_out(settings: Settings, work: Sequence[tuple[str, float, Work]]) -> None:
    """Do one thing after the other; what fails is a failed check, and the next one follows.

    Args:
        settings: of the part.
        work: a name, the seconds that it takes at most, and what to do.
    """
    for name, seconds, do in work:
        if not settings.has_time_for(name, seconds):
            continue
        try:
            for found in do(settings):
                settings.add(found)
        except Exception as error:
            said = [line for line in str(error).splitlines() if line.strip()]
            last = f"{type(error).__name__}: {said[-1].strip()}" if said else type(error).__name__
            settings.add(Check(name, None, None, error=last))
