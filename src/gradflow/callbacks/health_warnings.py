"""Warn, once per run, of gradients or units that are out of order, and say what helps."""

import logging
import math
from collections.abc import Sequence
from typing import Any

import lightning as L
from torch import nn

from gradflow.callbacks.monitor import Monitor, latest_values, measures_itself, network_of
from gradflow.models.layers import declared_layers
from gradflow.runs import health, tags

log = logging.getLogger(__name__)

VANISHING = (
    "gradients vanish: {layer} gets {ratio:.1e} of the largest layer's gradient (rms over the epoch, threshold "
    "{threshold:g}). Try, unless in use: {remedies}"
)
EXPLODING = (
    "gradients explode: the norm of {tag} averaged {value:.1e} over the epoch (threshold {threshold:g}). "
    "Try, unless in use: {remedies}"
)
DEAD = (
    "{share:.0%} of the units of {layer} are dead: no validation sample can change them (threshold {threshold:.0%}). "
    "Try, unless in use: {remedies}"
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
        ours = measures_itself(pl_module) and bool(declared_layers(network_of(pl_module)))  # `model` has its keys
        self._check_gradients(values, pl_module, ours=ours)
        self._check_units(values, self._remedies(health.DEAD_REMEDIES, health.DEAD_IN_GENERAL, ours=ours))

    def _check_gradients(self, means: dict[str, float], pl_module: L.LightningModule, *, ours: bool) -> None:
        of_layers = tags.by_layer(means, tags.GRAD_RMS)
        names = sorted(of_layers)  # by depth
        rms = {name: of_layers[name] for name in names if not _is_lookup(name, pl_module)}
        hidden = [name for name in rms if name != names[-1]]
        if hidden:
            largest, smallest = max(rms.values()), min(hidden, key=lambda name: rms[name])
            ratio = rms[smallest] / largest if largest > 0 else 0.0
            if ratio < self._vanishing_ratio:
                helps = self._remedies(health.VANISHING_REMEDIES, health.VANISHING_IN_GENERAL, ours=ours)
                limit = self._vanishing_ratio
                self._say("vanishing", VANISHING, helps, layer=smallest, ratio=ratio, threshold=limit)
        for tag, total in means.items():
            if tags.of_any_optimizer(tag) == tags.GRAD_NORM_TOTAL and (
                total > self._exploding_norm or math.isnan(total)
            ):
                helps = self._remedies(health.EXPLODING_REMEDIES, health.EXPLODING_IN_GENERAL, ours=ours)
                self._say("exploding", EXPLODING, helps, tag=tag, value=total, threshold=self._exploding_norm)

    def _check_units(self, values: dict[str, float], remedies: Sequence[str]) -> None:
        dead = tags.by_layer(values, tags.DEAD_UNITS)
        worst = max(dead, key=lambda name: dead[name], default=None)
        if worst is not None and dead[worst] > self._dead_fraction:
            self._say("dead", DEAD, remedies, layer=worst, share=dead[worst], threshold=self._dead_fraction)

    def _remedies(self, overrides: Sequence[str], in_general: Sequence[str], *, ours: bool) -> Sequence[str]:
        return (health.open_remedies(overrides, self.run_config) if ours else ()) or in_general

    def state_dict(self) -> dict[str, Any]:
        return {"said": sorted(self._said)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._said = set(state_dict["said"])

    def _say(self, kind: str, text: str, remedies: Sequence[str], **values: object) -> None:
        if kind not in self._said:
            self._said.add(kind)
            log.warning(text.format(remedies=health.listed(remedies), **values))


def _is_lookup(layer: str, module: nn.Module) -> bool:
    """Whether a layer is an embedding, whose gradient is zero for every word that a batch has not."""
    path = layer.partition("_")[2]
    return any(
        isinstance(part, nn.Embedding | nn.EmbeddingBag) and f".{name}".endswith(f".{path}")
        for name, part in module.named_modules()
    )
