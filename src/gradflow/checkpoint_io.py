"""Checkpoints that a crash cannot tear."""

from pathlib import Path
from typing import Any

from lightning.fabric.plugins.io import TorchCheckpointIO


class AtomicCheckpointIO(TorchCheckpointIO):
    """Write beside the target and rename: at any moment the file is the old checkpoint or the new one.

    Lightning's own goes through the system's temporary folder, and from another file system a move is a copy.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        part = Path(f"{path}.part")
        super().save_checkpoint(checkpoint, part, storage_options)
        part.replace(path)
