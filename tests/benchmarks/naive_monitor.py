"""The gradient monitor that comes to mind first: one `.item()` for every number, at every step.

    PYTHONPATH=tests/benchmarks python train.py +callbacks.naive._target_=naive_monitor.NaiveMonitor

What `speed.py` compares gradflow's monitors with.
"""

import lightning as L
from lightning.pytorch.callbacks import Callback
from torch.optim import Optimizer


class NaiveMonitor(Callback):
    """Norm, mean absolute value and root mean square of every parameter's gradient, written at every step.

    Args:
        writes: pass each step's numbers to the logger; otherwise only compute them.
    """

    def __init__(self, *, writes: bool = True) -> None:
        self._writes = writes

    def on_before_optimizer_step(self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: Optimizer) -> None:
        metrics = {}
        for name, parameter in pl_module.named_parameters():
            gradient = parameter.grad
            if gradient is None:
                continue
            metrics[f"naive_norm/{name}"] = gradient.norm(2).item()
            metrics[f"naive_abs_mean/{name}"] = gradient.abs().mean().item()
            if gradient.dim() > 1:
                metrics[f"naive_rms/{name}"] = gradient.pow(2).mean().sqrt().item()
        if self._writes:
            for logger in trainer.loggers:
                logger.log_metrics(metrics, trainer.global_step)
