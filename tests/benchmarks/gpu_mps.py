"""NVIDIA's Multi-Process Service, in a folder of its own: kernels of several processes run on a GPU at once."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CONTROL = "nvidia-cuda-mps-control"
ANSWERS_WITHIN_S = 20.0


def is_installed() -> bool:
    """Whether the driver's programs came with it."""
    return shutil.which(CONTROL) is not None


def environment(folder: Path) -> dict[str, str]:
    """What the service and the processes that use it are told."""
    return {"CUDA_MPS_PIPE_DIRECTORY": str(folder), "CUDA_MPS_LOG_DIRECTORY": str(folder)}


@contextmanager
def running(folder: Path) -> Iterator[dict[str, str]]:
    """Start it and stop it again; yields what processes need in their environment to use it.

    Raises:
        RuntimeError: if it does not start.
    """
    folder.mkdir()
    started = _told(folder, ["-d"])
    if started.returncode:
        raise RuntimeError(f"{CONTROL} -d: {(started.stderr or started.stdout).strip()}")
    try:
        yield environment(folder)
    finally:
        stop(folder)


def stop(folder: Path) -> None:
    """End the service of a folder, if there is one."""
    if folder.exists():
        with suppress(subprocess.TimeoutExpired):  # it is beyond help
            _told(folder, [], say="quit\n")
        shutil.rmtree(folder, ignore_errors=True)


def _told(folder: Path, options: list[str], *, say: str = "") -> subprocess.CompletedProcess[str]:
    # Not captured by pipes: the service, which lives on, would hold them open.
    with (folder / "said").open("w+") as said:
        done = subprocess.run(
            [CONTROL, *options],
            input=say,
            env=os.environ | environment(folder),
            stdout=said,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=ANSWERS_WITHIN_S,
        )
        said.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, said.read(), "")
