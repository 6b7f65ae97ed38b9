"""Python's garbage collector rests while heavy modules are imported."""

import atexit
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """What is imported in this block is not searched for garbage, neither meanwhile nor later.

    torch and Lightning make more than half a million objects, which stay. To search them all takes tenths of a second,
    and Python would do so a dozen times before the first step.
    """
    known, enabled = len(sys.modules), gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > known:
            gc.freeze()
            atexit.register(gc.unfreeze)  # nanobind, which triton uses, complains of what it finds at the end
        if enabled:
            gc.enable()
