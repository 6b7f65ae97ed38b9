"""One run as the rules see it: its record, its curves and its configuration, read from its folder."""

import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from gradflow.runs import folders, tags
from gradflow.runs.events import Curve
from gradflow.runs.record import Record
from gradflow.study.records import run_folder

log = logging.getLogger(__name__)

# For runs that do not record it: the bounded, monotone functions of conf/activation that are steep at 0.
SIGMOID_LIKE = ("sigmoid", "tanh", "softsign", "hardtanh")


class NotJudged(Exception):
    """A run lacks a measurement that a rule needs; the text names it."""


@dataclass(frozen=True)
class MeasuredRun:
    """One run of a study, finished or diverged.

    Attributes:
        record: its run.json.
        curves: its TensorBoard scalars by tag.
        config: its composed configuration, interpolations unresolved; empty where the folder has none.
    """

    record: Record
    curves: dict[str, Curve]
    config: dict[str, Any]

    @property
    def lr(self) -> str:
        """`, at lr = 0.1`, for texts."""
        lr = self.record["lr"]
        return "" if lr is None else f", at lr = {lr:g}"

    @property
    def is_sigmoid_like(self) -> bool:
        """Whether low slopes mean saturation: the function is flat on both sides of its steep part."""
        known = self.record["sigmoid_like"]
        return self.record["activation"] in SIGMOID_LIKE if known is None else bool(known)

    @cached_property
    def ends(self) -> np.ndarray:
        """The number of updates made by the end of each complete epoch, shape (E,)."""
        loss = self.curves.get(tags.train(tags.LOSS))
        return np.zeros(0, np.int64) if loss is None else loss.steps

    def epoch(self, step: int) -> int:
        """The epoch, counted from 1, that ends at this step; 0 before the first update."""
        return 0 if step == 0 else 1 + int(np.searchsorted(self.ends, step))

    def layers(self, quantity: str, *, hidden: bool = True) -> list[str]:
        """The layers that have curves `<quantity>/<layer>`, in forward order; `total` is not a layer.

        Raises:
            NotJudged: if there are none.
        """
        layers = sorted(tags.by_layer(self.curves, quantity), key=lambda layer: int(layer.partition("_")[0]))
        # An activation follows every layer with weights but the last; unit statistics are of activations alone.
        layers = layers[:-1] if hidden and quantity == tags.GRAD_RMS else layers
        if not layers:
            raise NotJudged(f"{quantity} was not recorded")
        return layers

    def epoch_means(self, tag: str) -> np.ndarray:
        """Mean of a curve over the steps of each epoch, shape (E + 1,), NaN where there are none.

        The last entry is for an epoch that divergence cut short. Values that are not finite do not count.
        """
        curve = self.curves[tag]
        finite = np.isfinite(curve.values)
        epoch = np.searchsorted(self.ends, curve.steps[finite], side="right")  # step s is the update after s others
        size = len(self.ends) + 1
        count = np.bincount(epoch, minlength=size)
        total = np.bincount(epoch, weights=curve.values[finite], minlength=size)
        return np.divide(total, count, out=np.full(size, np.nan), where=count > 0)


def measured_run(study: Path, record: Record, curves: dict[str, Curve]) -> MeasuredRun:
    """A run with its curves and the configuration in its folder."""
    return MeasuredRun(record, curves, _config(run_folder(study, record) / folders.HYDRA_FOLDER / "config.yaml"))


def _config(file: Path) -> dict[str, Any]:
    """The composed configuration; without one the rules judge all the same, but name remedies that may be in use."""
    try:
        config = yaml.safe_load(file.read_bytes())
    except FileNotFoundError:
        return {}
    except yaml.YAMLError:
        config = None
    if not isinstance(config, dict):
        log.warning("%s: damaged; remedies are named that the run may have in use", file)
        return {}
    return config


@dataclass(frozen=True)
class Sighting:
    """A rule holds in a run.

    Attributes:
        badness: the larger, the worse; compared within a rule.
        number: the deciding quantity, as text.
        evidence: one line with the number, the layer, the epoch.
    """

    badness: float
    number: str
    evidence: str


def per_cent(share: float) -> str:
    """Three digits, so that a share just past its threshold does not look equal to it."""
    return f"{100 * share:.3g} %" if share < 10 else f"{100 * share:,.0f} %"
