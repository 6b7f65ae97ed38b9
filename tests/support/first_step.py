"""What a process has loaded when a run's first training step begins."""

import gc
import json
import sys
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback


class FirstStep(Callback):
    """Writes the names of the loaded modules and the number of objects that the garbage collector passes over.

    The steps of the check before the sweep write too, and the run's own first step the last time.

    Args:
        path: of the JSON file.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if batch_idx == 0:
            self.path.write_text(json.dumps({"modules": list(sys.modules), "frozen": gc.get_freeze_count()}))
