"""Lightning callbacks: when to measure. `monitor` has their base class.

The callbacks are imported when they are named: the pictures alone need altair and pandas.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lightning.pytorch.callbacks import Callback

    from gradflow.callbacks.gradient_norms import GradientNorms
    from gradflow.callbacks.health_warnings import HealthWarnings
    from gradflow.callbacks.monitor import Monitor
    from gradflow.callbacks.pictures import Pictures
    from gradflow.callbacks.precise_batch_norm import PreciseBatchNorm
    from gradflow.callbacks.unit_statistics import UnitStatistics

__all__ = ["GradientNorms", "HealthWarnings", "Monitor", "Pictures", "PreciseBatchNorm", "UnitStatistics", "monitors"]

_MODULES = {
    "GradientNorms": "gradient_norms",
    "HealthWarnings": "health_warnings",
    "Monitor": "monitor",
    "Pictures": "pictures",
    "PreciseBatchNorm": "precise_batch_norm",
    "UnitStatistics": "unit_statistics",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def monitors(
    *,
    submodule: str | None = None,
    units: Mapping[str, int | None] | None = None,
    every_n_steps: int = 1,
    norm: bool = True,
    rms: bool = True,
    abs_mean: bool = False,
    flow: bool = True,
) -> "list[Callback]":
    """Callbacks for Lightning's Trainer that measure any LightningModule and change nothing in its training.

        trainer = L.Trainer(callbacks=gradflow.monitors())

    Gradients at every step, dead and saturated units at every validation, and a warning where either is out of order.
    They write to all loggers of the trainer.

    Args:
        submodule: the path of the part to measure, such as `generator`; None for all of the module.
        units: the axis of the units by pattern of paths, such as `{"features.*": -1}`, where layers do not say it.
        every_n_steps: average gradients over this many steps before writing.
        norm: write `grad_norm/<layer>` and `grad_norm/total`.
        rms: write `grad_rms/<layer>`.
        abs_mean: write `grad_abs_mean`, a published figure on which no verdict rests.
        flow: write `grad_flow/gain_per_layer` and `grad_flow/first_to_last`.
    """
    from gradflow.callbacks.gradient_norms import GradientNorms
    from gradflow.callbacks.health_warnings import HealthWarnings
    from gradflow.callbacks.unit_statistics import UnitStatistics

    gradients = GradientNorms(
        submodule=submodule, norm=norm, rms=rms, abs_mean=abs_mean, flow=flow, every_n_steps=every_n_steps
    )
    return [gradients, UnitStatistics(submodule=submodule, units=units), HealthWarnings()]
