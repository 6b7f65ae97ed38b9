"""Checkpoints that a crash cannot tear."""

import functools
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.fabric.plugins.io import TorchCheckpointIO
from lightning.pytorch import callbacks
from lightning.pytorch.callbacks import Callback

from gradflow.measure.scores import Task
from gradflow.runs import folders

_PATHS = ("dirpath", "best_model_path", "kth_best_model_path", "last_model_path")  # in a callback's state


class AtomicCheckpointIO(TorchCheckpointIO):
    """Write next to the target, then rename: at any moment the file is the old checkpoint or the new one.

    Lightning writes to the system's temporary folder first; moving from another file system is a copy.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        part = Path(f"{path}.part")
        super().save_checkpoint(checkpoint, part, storage_options)
        part.replace(path)


class ModelCheckpoint(callbacks.ModelCheckpoint):
    """Lightning's, of complete epochs only, in a folder that may have moved since or been copied.

    The name is Lightning's too, because a checkpoint keeps a callback's state under it.
    """

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        # A limit of steps may end an epoch on the way, without validation.
        if trainer.is_last_batch or trainer.should_stop:
            super().on_train_epoch_end(trainer, pl_module)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(
            state_dict
            | {key: self._here(state_dict[key]) for key in _PATHS}
            | {"best_k_models": {self._here(path): score for path, score in state_dict["best_k_models"].items()}}
        )

    def _here(self, path: str) -> str:
        """A file, or the folder itself, where it is now; Lightning would forget the best epoch of a moved folder."""
        assert self.dirpath is not None
        name = Path(path).name
        return str(Path(self.dirpath, name if name.endswith(".ckpt") else "")) if path else ""


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


def saved(checkpoint: Path) -> dict[str, Any]:
    """What a checkpoint holds, on the CPU."""
    return torch.load(checkpoint, map_location="cpu", weights_only=True)
