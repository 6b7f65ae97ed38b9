"""Count dead, low-slope and dormant units over the whole validation set."""

from collections.abc import Callable

import lightning as L
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from gradflow.callbacks.monitor import Monitor, layers_of
from gradflow.measure.units import UnitMeter
from gradflow.runs import metrics


class UnitStatistics(Monitor):
    """Record unit statistics during every validation pass, and during the one that precedes the first update.

    The validation pass runs in evaluation mode with the weights fixed, so listening to it costs no second pass.

    Args:
        dead_units: write `dead_units/<layer>` and `dead_units/total`.
        low_slope: write `low_slope/<layer>` and `low_slope/total`.
        dormant_units: write `dormant_units/<layer>` and `dormant_units/total`.
    """

    declares = metrics.of_groups(*metrics.UNIT_QUANTITIES)
    measures_initial_weights = True

    def __init__(self, *, dead_units: bool = True, low_slope: bool = True, dormant_units: bool = True) -> None:
        self._wanted = {
            metrics.DEAD_UNITS: dead_units,
            metrics.LOW_SLOPE: low_slope,
            metrics.DORMANT_UNITS: dormant_units,
        }
        self._meters: dict[str, UnitMeter] = {}
        self._handles: list[RemovableHandle] = []
        self._measures = True

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        # A resumed run has recorded the weights it starts from when they were saved.
        self._measures = not (trainer.sanity_checking and self.latest)
        if not self._measures:
            return
        hidden = [(layer.name, layer.activation) for layer in layers_of(pl_module) if layer.activation is not None]
        self._meters = {name: UnitMeter(activation) for name, activation in hidden}
        for name, activation in hidden:
            meter = self._meters[name]
            # Two hooks, because an in-place function overwrites its input before a forward hook could see it.
            if meter.has_slopes and (self._wanted[metrics.DEAD_UNITS] or self._wanted[metrics.LOW_SLOPE]):
                self._handles.append(activation.register_forward_pre_hook(_before(meter.add_preactivation)))
            if self._wanted[metrics.DORMANT_UNITS]:
                self._handles.append(activation.register_forward_hook(_after(meter.add_output)))

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not self._measures:
            return
        self._remove_hooks()
        if trainer.world_size > 1:
            for meter in self._meters.values():
                meter.pool()
        self.record(trainer, self._statistics())

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        self._remove_hooks()

    def _remove_hooks(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def _statistics(self) -> dict[str, float]:
        sloped = {name: meter for name, meter in self._meters.items() if meter.has_slopes}
        result: dict[str, float] = {}
        if self._wanted[metrics.DEAD_UNITS] and sloped:
            result |= _fractions(metrics.DEAD_UNITS, {name: meter.dead() for name, meter in sloped.items()})
        if self._wanted[metrics.LOW_SLOPE] and sloped:
            counts = {name: meter.low_slope() for name, meter in sloped.items()}
            result |= {metrics.unit_tag(metrics.LOW_SLOPE, name): low / n for name, (low, n) in counts.items()}
            low, entries = (sum(column) for column in zip(*counts.values(), strict=True))
            result[metrics.unit_tag(metrics.LOW_SLOPE, "total")] = low / entries
        if self._wanted[metrics.DORMANT_UNITS] and self._meters:
            result |= _fractions(metrics.DORMANT_UNITS, {name: m.dormant() for name, m in self._meters.items()})
        return result


def _fractions(quantity: str, flags: dict[str, Tensor]) -> dict[str, float]:
    """Fraction of flagged units by layer, and over the units of all layers."""
    result = {metrics.unit_tag(quantity, name): float(units.double().mean()) for name, units in flags.items()}
    result[metrics.unit_tag(quantity, "total")] = float(torch.cat(list(flags.values())).double().mean())
    return result


def _before(add: Callable[[Tensor], None]) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    return lambda module, inputs: add(inputs[0].detach())


def _after(add: Callable[[Tensor], None]) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
    return lambda module, inputs, output: add(output.detach())
