"""Where a result comes from: source, versions, machine, command."""

import functools
import os
import platform
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradflow import __version__
from gradflow.invocation import COMMAND

if TYPE_CHECKING:  # imported when a device is asked for: the command line is quick without torch
    import torch

PACKAGES = {"torch": "torch", "lightning": "lightning", "hydra": "hydra-core"}


def provenance(*, device: str, threads: int) -> dict[str, Any]:
    """What run.json records of how a run was made.

    Args:
        device: name of the device used for training.
        threads: CPU threads within one operation.
    """
    return {
        **_source(),
        "python": platform.python_version(),
        **versions(),
        "platform": platform.platform(),
        "device": device,
        "threads": threads,
        "command": os.environ.get(COMMAND, shlex.join(sys.argv)),
    }


def versions() -> dict[str, str]:
    """The versions of what computes a result, by the names that they have in run.json."""
    return {name: version(package) for name, package in PACKAGES.items()} | {"gradflow": __version__}


@functools.cache
def _source() -> dict[str, Any]:
    """The commit of this source tree and whether it was clean; None for both outside a git checkout."""
    here = Path(__file__).parent
    try:
        commit = _git("rev-parse", "HEAD", cwd=here)
        clean = not _git("status", "--porcelain", "--untracked-files=no", cwd=here)
    except (OSError, subprocess.CalledProcessError):
        return {"git_commit": None, "git_clean": None}
    return {"git_commit": commit, "git_clean": clean}


def _git(*arguments: str, cwd: Path) -> str:
    return subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, text=True, check=True).stdout.strip()


def device_name(device: "torch.device") -> str:
    """The name of the GPU or of the processor."""
    if device.type == "cuda":
        import torch

        return torch.cuda.get_device_name(device)
    if device.type != "cpu":
        return str(device)
    model = [line for line in _cpu_lines() if line.startswith("model name")]
    return model[0].partition(":")[2].strip() if model else "cpu"


def _cpu_lines() -> list[str]:
    """The lines of /proc/cpuinfo; empty if there is no such file."""
    file = Path("/proc/cpuinfo")
    return file.read_text().splitlines() if file.exists() else []
