"""Checkpoints that a crash cannot tear."""

import functools
from pathlib import Path
from typing import Any

from lightning.fabric.plugins.io import TorchCheckpointIO
from lightning.pytorch.callbacks import Callback, ModelCheckpoint

from gradflow.measure.scores import Task
from gradflow.runs import folders


class AtomicCheckpointIO(TorchCheckpointIO):
    """Write next to the target, then rename: at any moment the file is the old checkpoint or the new one.

    Lightning writes to the system's temporary folder first; moving from another file system is a copy.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        part = Path(f"{path}.part")
        super().save_checkpoint(checkpoint, part, storage_options)
        part.replace(path)


def checkpoints(folder: Path, what: Task) -> list[Callback]:
    """Keep the epoch that validation chose (ties: the earliest) and the last one, saved when an epoch is complete.

    Two callbacks, because `save_last` saves only together with a new best. The last one comes second, so that it knows
    the best.
    """
    keep = functools.partial(
        ModelCheckpoint,
        dirpath=folder / folders.CHECKPOINT_FOLDER,
        save_on_train_epoch_end=True,
        enable_version_counter=False,
    )
    best = keep(filename=Path(folders.BEST_CHECKPOINT).stem, monitor=what.monitor, mode=what.mode)
    return [best, keep(filename=Path(folders.LAST_CHECKPOINT).stem)]
