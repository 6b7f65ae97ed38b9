"""Count dead, low-slope and dormant units over the whole validation set."""

from collections.abc import Callable

import lightning as L
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from gradflow import activations
from gradflow.callbacks.monitor import Monitor, layers_of
from gradflow.measure.units import ActivityMeter, Part, SlopeMeter
from gradflow.runs import metrics, tags


class UnitStatistics(Monitor):
    """Record unit statistics during every validation pass, and during the one that precedes the first update.

    The validation pass runs in evaluation mode with the weights fixed, so listening to it costs no second pass.

    Args:
        dead_units: write `dead_units/<layer>` and `dead_units/total`.
        low_slope: write `low_slope/<layer>` and `low_slope/total`.
        dormant_units: write `dormant_units/<layer>` and `dormant_units/total`.
    """

    declares = metrics.of_groups(*tags.UNIT_QUANTITIES)
    measures_initial_weights = True

    def __init__(self, *, dead_units: bool = True, low_slope: bool = True, dormant_units: bool = True) -> None:
        self._wanted = {
            tags.DEAD_UNITS: dead_units,
            tags.LOW_SLOPE: low_slope,
            tags.DORMANT_UNITS: dormant_units,
        }
        self._slopes: dict[str, SlopeMeter] = {}
        self._activity: dict[str, ActivityMeter] = {}
        self._handles: list[RemovableHandle] = []

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._slopes, self._activity = {}, {}
        for layer in layers_of(pl_module):
            if layer.activation is None:
                continue
            # Two hooks, because an in-place function overwrites its input before a forward hook could see it.
            wants_slopes = self._wanted[tags.DEAD_UNITS] or self._wanted[tags.LOW_SLOPE]
            if wants_slopes and activations.is_elementwise(layer.activation):
                slopes = self._slopes[layer.name] = SlopeMeter(layer.activation).to(pl_module.device)
                self._handles.append(layer.activation.register_forward_pre_hook(_before(slopes.update)))
            if self._wanted[tags.DORMANT_UNITS]:
                activity = self._activity[layer.name] = ActivityMeter().to(pl_module.device)
                self._handles.append(layer.activation.register_forward_hook(_after(activity.update)))

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._remove_hooks()
        self.record(trainer, self._statistics())

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        self._remove_hooks()

    def _remove_hooks(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def _statistics(self) -> dict[str, float]:
        slopes = {name: meter.compute() for name, meter in self._slopes.items()}
        parts = {
            tags.DEAD_UNITS: {name: one.dead for name, one in slopes.items()},
            tags.LOW_SLOPE: {name: one.low for name, one in slopes.items()},
            tags.DORMANT_UNITS: {name: meter.compute() for name, meter in self._activity.items()},
        }
        result: dict[str, float] = {}
        for quantity, layers in parts.items():
            if self._wanted[quantity] and layers:
                result |= _fractions(quantity, layers)
        return result


def _fractions(quantity: str, layers: dict[str, Part]) -> dict[str, float]:
    """What fraction each layer's part is, and that of all layers together."""
    parts = {name: (int(part.size), int(part.of)) for name, part in layers.items()}
    result = {tags.of_layer(quantity, name): size / of for name, (size, of) in parts.items()}
    size, of = (sum(column) for column in zip(*parts.values(), strict=True))
    return result | {tags.of_layer(quantity, tags.TOTAL): size / of}


def _before(add: Callable[[Tensor], None]) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    return lambda module, inputs: add(inputs[0].detach())


def _after(add: Callable[[Tensor], None]) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
    return lambda module, inputs, output: add(output.detach())
