"""How far a run is while it trains, for whoever looks into its folder: a worker's parent, or another machine.

Nothing rests on it: it is neither synced nor missed where it cannot be written, and a run that ends takes it away.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gradflow.runs import folders


class Progress(NamedTuple):
    """How far a run is.

    Attributes:
        epoch: epochs done, fractions included.
        epochs: epochs in all; None where another limit ends the run.
        score: the latest validation score in words, `val/acc 0.912`; empty before the first.
    """

    epoch: float
    epochs: int | None
    score: str = ""


def write_progress(folder: Path, progress: Progress) -> None:
    with suppress(OSError):
        (folder / folders.PROGRESS_FILE).write_text(json.dumps(progress))


def read_progress(folder: Path) -> Progress | None:
    """What the run last wrote; None where it has not or no longer trains, or is writing just now."""
    with suppress(OSError, ValueError, TypeError):
        return Progress(*json.loads((folder / folders.PROGRESS_FILE).read_text()))
    return None


def remove_progress(folder: Path) -> None:
    with suppress(OSError):
        (folder / folders.PROGRESS_FILE).unlink()
