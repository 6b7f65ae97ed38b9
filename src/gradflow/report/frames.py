"""Tidy frames of a study: one row per point of a figure, averaged over the finished seeds of a configuration.

Each run's events are read once, and only what the figures show is kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gradflow.report.curve_points import BAND, SPREAD, banded, thinned
from gradflow.report.final_metrics import averages, every_seed
from gradflow.runs import tags
from gradflow.runs.events import Curve
from gradflow.runs.metrics import MetricTable
from gradflow.runs.record import Record, State
from gradflow.runs.tags import UNIT_QUANTITIES
from gradflow.study.averages import align
from gradflow.study.configurations import KEYS, finished, identities
from gradflow.study.records import EndedRuns, ended_runs

BEFORE, AFTER = "before the first update", "last epoch"
MOST_ROWS = 8000  # of one frame of curves: the page stays within a few megabytes
MOST_POINTS = 200  # of one curve
FEWEST_POINTS = 20

_COLUMNS = {
    "final": [*KEYS, "metric", "n", "mean", "sd", "low", "high", "seeds"],
    "seeds": [*KEYS, "metric", "seed", "value"],
    "learning": [*KEYS, "metric", "epoch", *BAND],
    "layers": [*KEYS, "moment", "layer", "index", *BAND],
    "training": [*KEYS, "metric", "update", *BAND, *SPREAD],
    "units": [*KEYS, "quantity", "layer", "epoch", *BAND],
}


@dataclass(frozen=True)
class Frames:
    """Each starts with `config, activation, blocks, variant`; mean, low and high are over seeds (95 % t interval).

    Attributes:
        final: by metric of run.json; n, mean, sd, low, high, and the seeds as text.
        seeds: the values behind `final`, one row per seed.
        learning: by metric and epoch, counted from 1.
        layers: `grad_rms` by moment (`BEFORE`, `AFTER`) and layer, whose index counts from the input.
        training: the loss of each batch and `grad_norm/total` by metric and update, thinned to averages over equal
            stretches of training, with the percentiles `p5` and `p95` of the single updates of all seeds.
        units: by unit statistic, layer and epoch; epoch 0 is before the first update.
        validation: the metric of the validation set that `learning` holds.
        fitted: its counterpart on the training set.
        stretch: the largest number of updates behind one point of `training`.
        table: the study's metrics.
    """

    final: pd.DataFrame
    seeds: pd.DataFrame
    learning: pd.DataFrame
    layers: pd.DataFrame
    training: pd.DataFrame
    units: pd.DataFrame
    validation: str
    fitted: str
    stretch: int
    table: MetricTable


def study_frames(study: Path, records: Sequence[Record], ended: EndedRuns | None = None) -> Frames:
    """Average the finished runs of a study, one configuration after the other.

    Args:
        study: the study's folder.
        records: run.json of its runs, any state; only finished ones are averaged, curves only where they are whole.
        ended: the same as `study.records.ended_runs` reads them, if somebody else looks at their curves too.
    """
    rows: dict[str, list[pd.DataFrame]] = {name: [] for name in _COLUMNS}
    stretches = [1]
    table = MetricTable.of(records)
    validation = tags.val(tags.LOSS)
    configurations = identities(records)
    for config, whole in ended or ended_runs(study, records):
        runs = finished(records, config)
        read = [found for run, found in whole if run["state"] == State.FINISHED]
        del whole
        if not runs:
            continue
        validation = _validation_metric(runs[0]["headline"], read) if read else validation
        training, stretch = _training(read, table, most=_points(2 * len(configurations)))
        stretches.append(stretch)
        parts = {
            "final": averages(runs, table),
            "seeds": every_seed(runs, table),
            "learning": _learning(
                read, table, dict.fromkeys([validation, tags.train(tags.LOSS), tags.training_of(validation)])
            ),
            "layers": _layers(read, runs),
            "training": training,
            "units": _units(read, table, most=_points(3 * 9 * len(configurations))),
        }
        del read  # before the next ones are read
        for name, part in parts.items():
            rows[name].append(_identified(part, configurations[config]))
    frames = {name: _stacked(parts, _COLUMNS[name]) for name, parts in rows.items()}
    fitted = tags.training_of(validation)
    return Frames(**frames, validation=validation, fitted=fitted, stretch=max(stretches), table=table)


def _points(num_curves: int) -> int:
    """How many points a curve can have so that all curves together stay within about `MOST_ROWS`."""
    return max(FEWEST_POINTS, min(MOST_POINTS, MOST_ROWS // num_curves))


def _identified(part: pd.DataFrame, identity: Mapping[str, Any]) -> pd.DataFrame:
    for position, (key, value) in enumerate(identity.items()):
        part.insert(position, key, value)
    return part


def _stacked(parts: Sequence[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True)[columns] if filled else pd.DataFrame(columns=columns)


def _validation_metric(headline: str, read: Sequence[Mapping[str, Curve]]) -> str:
    """The headline's curve by epoch: `val/acc` for `test/acc_at_best`; `val/loss` if it has no value for each epoch."""
    wanted, loss = tags.validation_of(headline), tags.train(tags.LOSS)
    recorded = [run for run in read if wanted in run]
    by_epoch = all(len(run[wanted].steps) == len(run[loss].steps) for run in recorded if loss in run)
    return wanted if recorded and by_epoch else tags.val(tags.LOSS)


def _learning(read: Sequence[Mapping[str, Curve]], table: MetricTable, tags: Iterable[str]) -> pd.DataFrame:
    parts = []
    for tag in tags:
        if present := [run[tag] for run in read if tag in run]:
            _, values_RE = align(present)
            epochs = np.arange(1, values_RE.shape[1] + 1)
            parts.append(banded(values_RE, within=table[tag].limits, metric=tag, epoch=epochs))
    return pd.concat(parts) if parts else pd.DataFrame()


def _layers(read: Sequence[Mapping[str, Curve]], runs: Sequence[Record]) -> pd.DataFrame:
    prefix = tags.of_layer(tags.GRAD_RMS, "")
    found = _by_depth(tag for run in read for tag in run if tag.startswith(prefix))
    if not found:
        return pd.DataFrame()
    first_RL = np.array([[run[tag].values[0] if tag in run else np.nan for tag in found] for run in read])
    last_RL = np.array([[run["metrics"].get(tag) for tag in found] for run in runs], dtype=float)
    layers = [tag.removeprefix(prefix) for tag in found]
    return pd.concat(
        banded(values_RL, log10=True, moment=moment, layer=layers, index=list(map(_index, layers)))
        for moment, values_RL in ((BEFORE, first_RL), (AFTER, last_RL))
    )


def _training(read: Sequence[Mapping[str, Curve]], table: MetricTable, *, most: int) -> tuple[pd.DataFrame, int]:
    """Loss of each batch and gradient norm by update, and the number of recorded updates behind a point."""
    parts, sizes = [], [1]
    for tag in (tags.TRAIN_LOSS_STEP, tags.GRAD_NORM_TOTAL):
        if present := [run[tag] for run in read if tag in run]:
            log10, within = table[tag].is_logarithmic, table[tag].limits
            points, size = thinned(present, most=most, log10=log10, within=within, metric=tag)
            parts.append(points)
            sizes.append(size)
    return pd.concat(parts) if parts else pd.DataFrame(), max(sizes)


def _units(read: Sequence[Mapping[str, Curve]], table: MetricTable, *, most: int) -> pd.DataFrame:
    parts = []
    for quantity in UNIT_QUANTITIES:
        found = {tags.of_layer(quantity, layer) for run in read for layer in tags.by_layer(run, quantity)}
        for tag in _by_depth(found):
            _, values_RE = align([run[tag] for run in read if tag in run])
            last = values_RE.shape[1] - 1
            shown = np.unique(np.linspace(0, last, min(most, last + 1)).round().astype(int))
            points = banded(values_RE[:, shown], within=table[tag].limits, quantity=quantity, epoch=shown)
            parts.append(points.assign(layer=tags.layer_of(tag)))
    return pd.concat(parts) if parts else pd.DataFrame()


def _by_depth(tags: Iterable[str]) -> list[str]:
    """Tags `<quantity>/<layer>`, each once, from the input to the output."""
    return sorted(set(tags), key=lambda tag: (_index(tag.partition("/")[2]), tag))


def _index(layer: str) -> int:
    """`03_block` -> 3; names sort by depth only up to 99 layers."""
    return int(layer.partition("_")[0])
