"""Wait for a condition, not for a time: a busy machine is slow."""

import subprocess
import time
from collections.abc import Callable

PATIENCE_S = 300.0  # for what takes seconds on an idle machine


def wait_until(condition: Callable[[], object], *, process: subprocess.Popen | None = None) -> bool:
    """Whether the condition came true in time, and before the process ended."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end or (process is not None and process.poll() is not None):
            return bool(condition())
        time.sleep(0.05)
    return True
