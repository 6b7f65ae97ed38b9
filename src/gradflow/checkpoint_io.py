"""Checkpoints that a crash cannot tear."""

from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.io import TorchCheckpointIO
from torch import Tensor
from torch.utils._pytree import tree_map_only


class AtomicCheckpointIO(TorchCheckpointIO):
    """Write beside the target and rename: at any moment the file is the old checkpoint or the new one.

    Lightning's own goes through the system's temporary folder, and from another file system a move is a copy. A tensor
    that is part of a larger one, as those of runs that are trained together are, would be saved with the whole of it.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        part = Path(f"{path}.part")
        super().save_checkpoint(tree_map_only(Tensor, _alone, checkpoint), part, storage_options)
        part.replace(path)


def by_itself(tensor: Tensor) -> Tensor:
    """A copy in memory of its own, in the layout that networks have: images and their kernels channels last."""
    return tensor.clone(memory_format=torch.channels_last if tensor.dim() == 4 else torch.contiguous_format)


def _alone(tensor: Tensor) -> Tensor:
    return by_itself(tensor) if tensor.untyped_storage().nbytes() > tensor.nbytes else tensor
