"""End a run as soon as its loss or a gradient is no longer finite."""

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor
from torch.optim import Optimizer

from gradflow import measure
from gradflow.errors import Diverged


class Divergence(Callback):
    """Raise `Diverged` before the update that a loss or gradient that is not finite would make.

    On a CPU every step is checked before its update. On an accelerator reading a value stalls the device, so the check
    comes every `every_n_steps` steps and at the end of an epoch; `Diverged` then still names the step where it began.

    Args:
        every_n_steps: how many steps an accelerator may run ahead.
    """

    def __init__(self, *, every_n_steps: int = 50) -> None:
        self._every = every_n_steps
        self._pending: list[tuple[int, str, Tensor]] = []

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._pending = []

    def on_before_backward(self, trainer: L.Trainer, pl_module: L.LightningModule, loss: Tensor) -> None:
        # Where a loss overflows, its gradient need not: cross-entropy's is softmax minus target.
        self._pending.append((trainer.global_step, "the loss", loss.isfinite()))

    def on_before_optimizer_step(self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: Optimizer) -> None:
        gradients = [p.grad for p in pl_module.parameters() if p.grad is not None]
        on_cpu = pl_module.device.type == "cpu"
        self._pending.append((trainer.global_step, "a gradient", _all_finite(gradients, try_float32=on_cpu)))
        if on_cpu or trainer.global_step + 1 - self._pending[0][0] >= self._every:
            self._check()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._check()

    def _check(self) -> None:
        if not self._pending:
            return
        finite = torch.stack([flag for *_, flag in self._pending]).cpu()
        if not finite.all():
            step, what, _ = self._pending[int((~finite).nonzero()[0])]
            raise Diverged(f"{what} is not finite at step {step}")
        self._pending = []


def _all_finite(gradients: list[Tensor], *, try_float32: bool) -> Tensor:
    """Whether every entry is finite, as a scalar on the device.

    A norm is not finite when any entry is not; in float32, which is faster, it can also overflow.
    """
    if try_float32 and (finite := torch.stack(torch._foreach_norm(gradients, 2)).sum().isfinite()):
        return finite
    return measure.gradient_norms(gradients).sum().isfinite()
