"""Record every layer's gradient at every step."""

from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor
from torch.optim import Optimizer

from gradflow import measure, names
from gradflow.errors import Diverged
from gradflow.logger import write_rows
from gradflow.models.blocks import Layer
from gradflow.steps import StepTable, average_windows


class GradientNorms(Callback):
    """Record the gradient of every layer as the optimizer gets it, before clipping, at the step it belongs to.

    Args:
        norm: write `grad_norm/<layer>` and `grad_norm/total`.
        rms: write `grad_rms/<layer>`.
        abs_mean: write `grad_abs_mean`.
        flow: write `grad_flow/decades_per_layer` and `grad_flow/first_to_last`; needs two hidden layers.
        every_n_steps: average over this many steps before writing; 1 writes every step.
    """

    def __init__(
        self, *, norm: bool = True, rms: bool = True, abs_mean: bool = True, flow: bool = True, every_n_steps: int = 1
    ) -> None:
        self._wanted = {"norm": norm, "rms": rms, "abs_mean": abs_mean, "flow": flow}
        self._every = every_n_steps
        self._table = StepTable()
        self._abs_mean_sum, self._steps_seen = 0.0, 0
        self.epoch_means: dict[str, float] = {}
        self.first_rms: dict[str, float] = {}

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        layers: list[Layer] = pl_module.network.layers  # type: ignore[union-attr, assignment]
        self._layer_names = [layer.name for layer in layers]
        self._hidden = [i for i, layer in enumerate(layers) if layer.activation is not None]
        self._parameters = [p for p in pl_module.parameters() if p.requires_grad]
        place = {id(p): i for i, p in enumerate(self._parameters)}
        device = pl_module.device
        # A missing bias, or a frozen tensor, points at a zero that is appended to the norms.
        absent = len(self._parameters)
        self._weights_L, self._biases_L = (
            torch.tensor([place.get(id(getattr(layer.affine, kind)), absent) for layer in layers], device=device)
            for kind in ("weight", "bias")
        )
        self._numel_L = torch.tensor([layer.affine.weight.numel() for layer in layers], device=device)

    def on_before_optimizer_step(self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: Optimizer) -> None:
        gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in self._parameters]
        self._table.append(trainer.global_step, self._row(gradients))

    def _row(self, gradients: list[Tensor]) -> Tensor:
        """Per layer norm and weight norm, then the total norm and the mean absolute value: shape (2 L + 2,)."""
        norms_T = measure.gradient_norms(gradients)
        padded = torch.cat([norms_T, norms_T.new_zeros(1)])
        weights_L, biases_L = padded[self._weights_L], padded[self._biases_L]
        layers_L = measure.combined_norm(torch.stack([weights_L, biases_L], dim=-1))
        rms_L = weights_L / self._numel_L.to(norms_T.dtype).sqrt()
        abs_mean = measure.gradient_abs_means(gradients).mean().to(norms_T.dtype)
        return torch.cat([layers_L, rms_L, measure.combined_norm(norms_T)[None], abs_mean[None]])

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._write(trainer)

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        # An interrupted epoch is trained again from its start and would leave its points twice; a diverged one is not.
        if isinstance(exception, Diverged):
            self._write(trainer)

    def _write(self, trainer: L.Trainer) -> None:
        if not len(self._table):
            return
        steps, times, values = self._table.take()
        # An accelerator may have run ahead of a divergence.
        finite = np.isfinite(values).all(axis=1)
        if not finite.any():
            return
        steps, times, values = steps[finite], times[finite], values[finite]
        columns = self._columns(values)
        self._abs_mean_sum += float(columns[names.GRAD_ABS_MEAN].sum())
        self._steps_seen += len(steps)
        if not self.first_rms:
            self.first_rms = {layer: float(columns[names.grad_rms(layer)][0]) for layer in self._layer_names}
        self.epoch_means = {tag: _finite_mean(column) for tag, column in columns.items()}
        tags = [tag for tag in columns if self._is_wanted(tag)]
        rows = average_windows(np.stack([columns[tag] for tag in tags], axis=1), self._every) if tags else None
        if rows is not None:
            last = [min(i + self._every, len(steps)) - 1 for i in range(0, len(steps), self._every)]
            write_rows(trainer.loggers, tags, steps[last].tolist(), rows, times[last].tolist())

    def _columns(self, values: np.ndarray) -> dict[str, np.ndarray]:
        """Every quantity by tag, each of shape (S,)."""
        count = len(self._layer_names)
        columns = {names.grad_norm(layer): values[:, i] for i, layer in enumerate(self._layer_names)}
        columns |= {names.grad_rms(layer): values[:, count + i] for i, layer in enumerate(self._layer_names)}
        columns |= {names.GRAD_NORM_TOTAL: values[:, -2], names.GRAD_ABS_MEAN: values[:, -1]}
        if len(self._hidden) > 1:
            rms_SL = torch.from_numpy(values[:, [count + i for i in self._hidden]])
            columns[names.DECADES_PER_LAYER] = measure.decades_per_layer(rms_SL).numpy()
            columns[names.FIRST_TO_LAST] = (rms_SL[:, 0] / rms_SL[:, -1]).numpy()
        return columns

    def _is_wanted(self, tag: str) -> bool:
        prefixes = {"grad_norm/": "norm", "grad_rms/": "rms", "grad_abs_mean": "abs_mean", "grad_flow/": "flow"}
        return next(self._wanted[kind] for prefix, kind in prefixes.items() if tag.startswith(prefix))

    def final_metrics(self) -> dict[str, float]:
        """Means over the last epoch by tag, and the mean absolute gradient over all steps of training."""
        final = {tag: value for tag, value in self.epoch_means.items() if self._is_wanted(tag)}
        if self._wanted["abs_mean"] and self._steps_seen:
            final[names.GRAD_ABS_MEAN_ALL_STEPS] = self._abs_mean_sum / self._steps_seen
        return final

    def state_dict(self) -> dict[str, Any]:
        return {
            "abs_mean_sum": self._abs_mean_sum,
            "steps_seen": self._steps_seen,
            "epoch_means": self.epoch_means,
            "first_rms": self.first_rms,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._abs_mean_sum, self._steps_seen = state_dict["abs_mean_sum"], state_dict["steps_seen"]
        self.epoch_means, self.first_rms = dict(state_dict["epoch_means"]), dict(state_dict["first_rms"])


def _finite_mean(values: np.ndarray) -> float:
    """Mean over the steps at which a quantity is defined (zero has no logarithm); NaN if there is none."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")
