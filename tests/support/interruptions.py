"""How runs are stopped on the way."""

import time
from pathlib import Path

import lightning as L
from lightning.pytorch.callbacks import Callback


class Pause(Callback):
    """Waits before an epoch until a file is there, or SIGTERM has come: time to do something to the run.

    Args:
        epoch: which, from 0 on.
        until: path of the file.
    """

    def __init__(self, epoch: int, until: str) -> None:
        self.epoch, self.until = epoch, Path(until)

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        while trainer.current_epoch == self.epoch and not (self.until.exists() or trainer.received_sigterm):
            time.sleep(0.02)


def pause(epoch: int, until: Path) -> tuple[str, ...]:
    """The overrides that put a `Pause` into a run."""
    values = {"_target_": "interruptions.Pause", "epoch": epoch, "until": f"'{until}'"}
    return tuple(f"+callbacks.pause.{key}={value}" for key, value in values.items())


def interrupt_after(command, monkeypatch, epochs: int, *arguments: str):
    """Ctrl-C at the end of an epoch, before its checkpoint is written; the command's outcome."""
    from gradflow.training.progress import RunProgress

    def interrupt(self, trainer, module):
        if trainer.current_epoch + 1 == epochs:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RunProgress, "on_train_epoch_end", interrupt)
        return command(*arguments)
