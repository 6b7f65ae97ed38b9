"""Record every layer's gradient at every step."""

from typing import Any

import lightning as L
import numpy as np

from gradflow.callbacks.monitor import Monitor, as_measured, layers_of
from gradflow.errors import Diverged
from gradflow.measure.steps import average_windows
from gradflow.runs import metrics, tags
from gradflow.runs.gradient_gain import gain_per_layer, longest_chain
from gradflow.runs.logger import write_rows


class GradientNorms(Monitor):
    """Write the gradient of every layer as backpropagation leaves it, before clipping, at its own step.

    The module measures each step's gradient anyway, to notice a run that diverges. This callback asks it for the sums
    of absolute values too, and turns both into metrics at the end of each epoch.

    Args:
        norm: write `grad_norm/<layer>` and `grad_norm/total`.
        rms: write `grad_rms/<layer>`.
        abs_mean: write `grad_abs_mean`.
        flow: write `grad_flow/gain_per_layer`, if two hidden layers after the first have weights of one shape, and
            `grad_flow/first_to_last`, if there are two hidden layers.
        every_n_steps: average over this many steps before writing; 1 writes every step.
    """

    declares = metrics.of_groups(tags.GRAD_NORM, tags.GRAD_RMS, tags.GRAD_ABS_MEAN, tags.GRAD_FLOW)

    def __init__(
        self, *, norm: bool = True, rms: bool = True, abs_mean: bool = True, flow: bool = True, every_n_steps: int = 1
    ) -> None:
        self._wanted = {
            tags.GRAD_NORM: norm,
            tags.GRAD_RMS: rms,
            tags.GRAD_ABS_MEAN: abs_mean,
            tags.GRAD_FLOW: flow,
        }
        self._every = every_n_steps
        self._abs_mean_sum, self._steps_seen = 0.0, 0

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        module = as_measured(pl_module)
        module.keeps_abs_sums = True
        layers = layers_of(pl_module)
        self._layer_names = [layer.name for layer in layers]
        self._hidden = [i for i, layer in enumerate(layers) if layer.activation is not None]
        shapes = [layers[i].affine.weight.shape for i in self._hidden]
        self._chain = [self._hidden[place] for place in longest_chain(shapes)]
        place = {id(p): i for i, p in enumerate(module.trained)}
        # A missing bias or a frozen tensor points at a zero appended to the norms.
        absent = len(place)
        self._weights_L, self._biases_L = (
            np.array([place.get(id(getattr(layer.affine, kind)), absent) for layer in layers])
            for kind in ("weight", "bias")
        )
        self._sizes_L = np.array([layer.affine.weight.numel() for layer in layers])
        self._sizes_T = np.array([p.numel() for p in module.trained])

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._write(trainer, pl_module)

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        # An interrupted epoch is trained again and would write its points twice; a diverged one is not.
        if isinstance(exception, Diverged):
            self._write(trainer, pl_module)

    def _write(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        steps, times, values = as_measured(pl_module).steps.read()
        # Drop the step that diverged, and those that an accelerator ran after it.
        finite = np.isfinite(values).all(axis=1) if len(steps) else np.zeros(0, bool)
        if not finite.any():
            return
        steps, times = steps[finite], times[finite]
        columns = self._columns(values[finite])
        self._abs_mean_sum += float(columns[tags.GRAD_ABS_MEAN].sum())
        self._steps_seen += len(steps)
        if not self.first:
            self.first = {tag: float(column[0]) for tag, column in columns.items()}
        self.latest = {tag: _mean(column, tag) for tag, column in columns.items()}
        wanted = [tag for tag in columns if self._is_wanted(tag)]
        if wanted:
            rows = np.stack([_windows(columns[tag], tag, self._every) for tag in wanted], axis=1)
            last = [min(i + self._every, len(steps)) - 1 for i in range(0, len(steps), self._every)]
            write_rows(trainer.loggers, wanted, steps[last].tolist(), rows, times[last].tolist())

    def _columns(self, values: np.ndarray) -> dict[str, np.ndarray]:
        """Every quantity by tag, each of shape (S,), from the module's rows: loss, norms, sums of absolute values."""
        norms_ST, abs_sums_ST = np.split(values[:, 1:], 2, axis=1)
        padded = np.pad(norms_ST, ((0, 0), (0, 1)))
        weights_SL, biases_SL = padded[:, self._weights_L], padded[:, self._biases_L]
        rms_SL = weights_SL / np.sqrt(self._sizes_L)
        layers_SL = np.hypot(weights_SL, biases_SL)
        columns = {tags.of_layer(tags.GRAD_NORM, layer): layers_SL[:, i] for i, layer in enumerate(self._layer_names)}
        columns |= {tags.of_layer(tags.GRAD_RMS, layer): rms_SL[:, i] for i, layer in enumerate(self._layer_names)}
        columns[tags.GRAD_NORM_TOTAL] = np.linalg.norm(norms_ST, axis=1)
        columns[tags.GRAD_ABS_MEAN] = (abs_sums_ST / self._sizes_T).mean(axis=1)
        if len(self._hidden) > 1:
            with np.errstate(divide="ignore", invalid="ignore"):
                columns[tags.FIRST_TO_LAST] = rms_SL[:, self._hidden[0]] / rms_SL[:, self._hidden[-1]]
        if self._chain:
            columns[tags.GAIN_PER_LAYER] = gain_per_layer(rms_SL[:, self._chain])
        return columns

    def _is_wanted(self, tag: str) -> bool:
        return self._wanted[tag.partition("/")[0]]

    def final_metrics(self) -> dict[str, float]:
        """Means over the last epoch, and the mean absolute gradient over all steps of training."""
        final = {tag: value for tag, value in self.latest.items() if self._is_wanted(tag)}
        if self._wanted[tags.GRAD_ABS_MEAN] and self._steps_seen:
            final[tags.GRAD_ABS_MEAN_ALL_STEPS] = self._abs_mean_sum / self._steps_seen
        return final

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"abs_mean_sum": self._abs_mean_sum, "steps_seen": self._steps_seen}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self._abs_mean_sum, self._steps_seen = state_dict["abs_mean_sum"], state_dict["steps_seen"]


def _windows(values_S: np.ndarray, tag: str, every_n_steps: int) -> np.ndarray:
    """Means of consecutive windows of steps, shape (windows,); geometric ones of a factor."""
    is_factor = tag == tags.GAIN_PER_LAYER
    means = average_windows((np.log10(values_S) if is_factor else values_S)[:, None], every_n_steps)[:, 0]
    return np.power(10.0, means) if is_factor else means


def _mean(values_S: np.ndarray, tag: str) -> float:
    """Mean over the steps at which a quantity is defined (zero has no logarithm); NaN if there is none."""
    finite = values_S[np.isfinite(values_S)]
    return float(_windows(finite, tag, len(finite))[0]) if len(finite) else float("nan")
