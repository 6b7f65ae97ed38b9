"""Callbacks as a user would write them: `+callbacks.own._target_=own_callbacks.NAME`."""

import torch
from lightning.pytorch.callbacks import Callback

from gradflow.callbacks.monitor import Monitor


class Noise(Monitor):
    """Measures nothing, and says that it changes training."""

    changes_training = True

    def on_before_optimizer_step(self, trainer, pl_module, optimizer):
        for parameter in pl_module.parameters():
            if parameter.grad is not None:
                parameter.grad.add_(0.1 * torch.randn_like(parameter))


def some_monitor() -> Callback:
    """What it returns is known only once it is called, so it counts."""
    return Monitor()


class Unreadable(Callback):
    """Keeps in its state what a checkpoint is not read back with."""

    def state_dict(self):
        return {"callback": self}


class OutOfMemory(Callback):
    """Fails as a GPU without memory does, in the middle of training."""

    def on_train_epoch_end(self, trainer, pl_module):
        raise torch.OutOfMemoryError("CUDA out of memory")


class LogsItsOwn(Callback):
    """Logs a score of its own."""

    def on_validation_epoch_end(self, trainer, pl_module):
        self.log("own/score", float(trainer.current_epoch))


def samples_of(batch) -> int:
    """How many samples a batch has, for ThroughputMonitor."""
    return len(batch[0])


called: list[int] = []


def note(trainer, pl_module, outputs, batch, batch_idx):
    """Notes the number of a training batch, for LambdaCallback."""
    called.append(batch_idx)
