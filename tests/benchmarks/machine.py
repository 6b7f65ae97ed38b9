"""What a measurement depends on besides the code: processor, threads, versions and other load."""

import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

QUIET = 0.2  # cores that others may use while something is measured
LIBRARIES = ("torch", "lightning", "numpy")


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads() -> int:
    """Threads of every measured process: OMP_NUM_THREADS, or one per core."""
    return int(os.environ.get("OMP_NUM_THREADS") or cores())


def processor() -> str:
    """The CPU's name."""
    described = Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def caption(*, pinned: bool = True) -> str:
    """One line above a table, with the threads if they are the same for all processes."""
    versions = ", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in LIBRARIES)])
    all_threads = f", OMP_NUM_THREADS={threads()}" if pinned else ""
    return f"{processor()}, {cores()} cores{all_threads}; {versions}; {time.strftime('%Y-%m-%d')}."


def busy_seconds() -> float | None:
    """CPU time used by all processes since the machine started; None where /proc/stat does not exist."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return None
    user, nice, system, _, _, interrupts, soft_interrupts, *_ = map(int, stat.read_text().split()[1:9])
    return (user + nice + system + interrupts + soft_interrupts) / os.sysconf("SC_CLK_TCK")


def wait_until_quiet(limit: float = 60, window: float = 0.5) -> None:
    """Wait while others are computing, for at most `limit` seconds, looking at `window` seconds at a time."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        before = busy_seconds()
        if before is None:
            return
        time.sleep(window)
        if ((busy_seconds() or 0) - before) / window < QUIET:
            return
