"""Checkpoints that neither a crash nor a power cut can tear, and from which of them a run can go on."""

import functools
import io
import zipfile
import zlib
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.fabric.plugins.io import TorchCheckpointIO
from lightning.pytorch import callbacks
from lightning.pytorch.callbacks import Callback

from gradflow.runs import durable, folders
from gradflow.runs.integrity import damaged_so_far
from gradflow.training.epoch_scores import EpochScores

_PATHS = ("dirpath", "best_model_path", "kth_best_model_path", "last_model_path")  # in a callback's state


class DurableCheckpointIO(TorchCheckpointIO):
    """Write next to the target, then rename: at any moment the file is the old checkpoint or the new one.

    Lightning's own passes through the system's temporary folder, where a killed process leaves it behind.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        content = io.BytesIO()
        torch.save(checkpoint, content)
        durable.make_folder(Path(path).parent)
        with durable.replacing(Path(path)) as file:
            file.write(content.getbuffer())


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


def checkpoints(folder: Path, scores: EpochScores) -> list[Callback]:
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
    best = keep(filename=Path(folders.BEST_CHECKPOINT).stem, monitor=scores.monitor, mode=scores.mode)
    return [best, keep(filename=Path(folders.LAST_CHECKPOINT).stem)]


def saved(checkpoint: Path) -> dict[str, Any]:
    """What a checkpoint holds, on the CPU."""
    return torch.load(checkpoint, map_location="cpu", weights_only=True)


def whole_checkpoint(folder: Path) -> tuple[Path | None, str | None]:
    """The checkpoint from which a run goes on: that of the last epoch or, should it be of no use, of the best one.

    Args:
        folder: the run folder.

    Returns:
        The file, None if there is none to go on from; and what is wrong with one that would have been better.
    """
    better = None
    for name in (folders.LAST_CHECKPOINT, folders.BEST_CHECKPOINT):
        file = folder / folders.CHECKPOINT_FOLDER / name
        if file.exists():
            if (fault := _fault(file)) is None:
                return file, better
            better = better or fault
    return None, better


def _fault(file: Path) -> str | None:
    """Why training cannot go on from a checkpoint: it is damaged, or what it builds on is not there."""
    if _is_damaged(file):
        return f"{file.name} is damaged"
    state = saved(file)["gradflow"]
    best = file.with_name(folders.BEST_CHECKPOINT)
    if state["best_epoch"] and (not best.exists() or _is_damaged(best)):
        return f"{best.name} is damaged" if best.exists() else f"no {best.name}"
    return damaged_so_far(file.parents[1], state["events"])


def _is_damaged(file: Path) -> bool:
    """Whether a checkpoint is no whole zip archive; torch does not compare its checksums."""
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.testzip() is not None
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError):
        return True
