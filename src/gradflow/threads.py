"""CPU threads: whose setting counts, and how they wait, which decides how long a run takes on a busy machine.

OpenMP's threads spin while they wait for each other. On an idle machine that saves the time to wake them; beside
another busy process, which takes one of them off its core, all others burn theirs, and training takes four to sixty
times as long. Threads that sleep cost nothing of the kind, and on large layers next to nothing when idle.
"""

import os

COUNT = "OMP_NUM_THREADS"
WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")  # by which a user says how threads wait
OWN_COUNT = "GRADFLOW_OWN_THREADS"  # what the user had set as COUNT; launchers set that too, for their workers


def let_wait_asleep() -> None:
    """Let the threads of this process and of those it starts sleep while they wait; to be called before torch loads.

    A setting of the user's own wins.
    """
    if COUNT in os.environ:
        os.environ.setdefault(OWN_COUNT, os.environ[COUNT])
    if not any(name in os.environ for name in WAITING):
        os.environ[WAITING[0]] = "PASSIVE"


def own_count() -> int | None:
    """How many threads the user has asked for by OMP_NUM_THREADS; None if they have not."""
    count = os.environ.get(OWN_COUNT, "")
    return int(count) if count.isdecimal() else None
