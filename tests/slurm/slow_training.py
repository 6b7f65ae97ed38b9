"""Training that takes its time, however fast the machine is."""

import time

from lightning.pytorch import Callback, LightningModule, Trainer


class Rest(Callback):
    """Sleeps before each epoch; what the run measures stays as it is.

    Args:
        seconds: how long.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        time.sleep(self.seconds)
