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
