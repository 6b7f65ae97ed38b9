"""Warn, once per run, of gradients or units that are out of order, and say what helps."""

import logging
import math
from typing import Any

import lightning as L

from gradflow.callbacks.monitor import Monitor, latest_values, layers_of
from gradflow.runs import health, tags

log = logging.getLogger(__name__)

VANISHING = (
    "gradients vanish: {layer} gets {ratio:.1e} of the largest layer's gradient (rms over the epoch, threshold "
    "{threshold:g}). Try, unless in use: " + health.listed(health.VANISHING_REMEDIES)
)
EXPLODING = (
    "gradients explode: the norm of {tag} averaged {value:.1e} over the epoch (threshold {threshold:g}). "
    "Try, unless in use: " + health.listed(health.EXPLODING_REMEDIES)
)
DEAD = (
    "{share:.0%} of the units of {layer} are dead: no validation sample can change them (threshold {threshold:.0%}). "
    "Try, unless in use: " + health.listed(health.DEAD_REMEDIES)
)


class HealthWarnings(Monitor):
    """Log each kind of warning at most once per run.

    Args:
        vanishing_ratio: warn when a hidden layer's `grad_rms`, averaged over an epoch, is below this fraction of the
            largest layer's.
        exploding_norm: warn when `grad_norm/total`, averaged over an epoch, is above this.
        dead_fraction: warn when more than this fraction of a layer's units is dead.
    """

    def __init__(
        self,
        *,
        vanishing_ratio: float = health.VANISHING_RATIO,
        exploding_norm: float = health.EXPLODING_NORM,
        dead_fraction: float = health.DEAD_FRACTION,
    ) -> None:
        self._vanishing_ratio = vanishing_ratio
        self._exploding_norm = exploding_norm
        self._dead_fraction = dead_fraction
        self._said: set[str] = set()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        values = latest_values(trainer.callbacks)  # type: ignore[attr-defined]
        if tags.GRAD_NORM_TOTAL in values:
            self._check_gradients(values, pl_module)
        self._check_units(values)

    def _check_gradients(self, means: dict[str, float], pl_module: L.LightningModule) -> None:
        layers = layers_of(pl_module)
        rms = {layer.name: means[tags.of_layer(tags.GRAD_RMS, layer.name)] for layer in layers}
        largest = max(rms.values())
        hidden = [layer.name for layer in layers if layer.hidden]
        smallest = min(hidden, key=lambda name: rms[name])
        ratio = rms[smallest] / largest if largest > 0 else 0.0
        if ratio < self._vanishing_ratio:
            self._say("vanishing", VANISHING, layer=smallest, ratio=ratio, threshold=self._vanishing_ratio)
        total = means[tags.GRAD_NORM_TOTAL]
        if total > self._exploding_norm or math.isnan(total):
            self._say("exploding", EXPLODING, tag=tags.GRAD_NORM_TOTAL, value=total, threshold=self._exploding_norm)

    def _check_units(self, values: dict[str, float]) -> None:
        dead = tags.by_layer(values, tags.DEAD_UNITS)
        worst = max(dead, key=lambda name: dead[name], default=None)
        if worst is not None and dead[worst] > self._dead_fraction:
            self._say("dead", DEAD, layer=worst, share=dead[worst], threshold=self._dead_fraction)

    def state_dict(self) -> dict[str, Any]:
        return {"said": sorted(self._said)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._said = set(state_dict["said"])

    def _say(self, kind: str, text: str, **values: object) -> None:
        if kind not in self._said:
            self._said.add(kind)
            log.warning(text.format(**values))
