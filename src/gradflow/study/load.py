"""Run folders as tidy frames, for notebooks: docs/notebooks.md describes every column."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gradflow.errors import ConfigError
from gradflow.runs import folders, tags
from gradflow.runs.events import Curve
from gradflow.runs.metrics import Metric, MetricTable
from gradflow.runs.record import Record, read_record
from gradflow.runs.states import why
from gradflow.study.configurations import KEYS, identities
from gradflow.study.records import curves_if_whole, run_folder, study_runs
from gradflow.study.status import state_in

RUN = ["study", *KEYS, "seed"]  # the columns that every frame begins with: which run
_RUNS = [
    *("state", "headline", "score", "best_epoch", "lr", "parameters", "attempts", "started", "finished", "duration_s"),
    *("why", "device", "folder"),
]
_METRICS = ["metric", "value", "unit", "words"]
_CURVES = ["metric", "step", "value"]
_LAYERS = ["metric", "layer", "index", "step", "value"]


@dataclass(frozen=True)
class _Run:
    """One run: its folder, its record, the values of `RUN`, and the metrics that its study knows."""

    folder: Path
    record: Record
    identity: Mapping[str, Any]
    table: MetricTable


class Results:
    """What `load` has found, as four frames; curves and layers are read when they are first asked for.

    Attributes:
        runs: one row for each run, in any state.
        metrics: one row for each run and final metric.
        curves: one row for each run, metric of the whole network, and step.
        layers: one row for each run, metric of a single layer, layer, and step.
    """

    def __init__(self, runs: Sequence[_Run]) -> None:
        self._runs = runs

    def __repr__(self) -> str:
        studies = ", ".join(dict.fromkeys(str(run.identity["study"]) for run in self._runs))
        return f"<{len(self._runs)} runs of {studies}: .runs, .metrics, .curves, .layers>"

    @cached_property
    def runs(self) -> pd.DataFrame:
        rows = [{**run.identity, **_described(run)} for run in self._runs]
        frame = pd.DataFrame(rows, columns=[*RUN, *_RUNS])
        whole = dict.fromkeys(("blocks", "best_epoch", "parameters"), "Int64")
        numbers = dict.fromkeys(("score", "lr", "duration_s"), "float64")
        times = {name: pd.to_datetime(frame[name], utc=True) for name in ("started", "finished")}
        return frame.astype(whole | numbers).assign(**times)

    @cached_property
    def metrics(self) -> pd.DataFrame:
        rows = [
            {**run.identity, "metric": tag, "value": value, "unit": _unit(metric), "words": metric.words}
            for run in self._runs
            for tag, value in run.record["metrics"].items()
            for metric in [run.table.final(tag)]
        ]
        return pd.DataFrame(rows, columns=[*RUN, *_METRICS]).astype({"blocks": "Int64", "value": "float64"})

    @cached_property
    def curves(self) -> pd.DataFrame:
        return self._read[0]

    @cached_property
    def layers(self) -> pd.DataFrame:
        return self._read[1]

    @cached_property
    def _read(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Curves of the network, and of its layers; each run's events are read once."""
        network, layers = [], []
        for run in self._runs:
            for tag, curve in (curves_if_whole(run.folder, run.record) or {}).items():
                row = run.table.row(tag)
                if row is not None and row.is_by_layer:
                    layer = tag.removeprefix(row.tag)
                    named = {"metric": row.tag.rstrip("/"), "layer": layer, "index": _index(layer)}
                    layers.append((curve, {**run.identity, **named}))
                else:
                    network.append((curve, {**run.identity, "metric": tag}))
        return _stacked(network, [*RUN, *_CURVES]), _stacked(layers, [*RUN, *_LAYERS])


def load(folder: str | Path) -> Results:
    """The runs of a study, of a folder of studies such as `outputs`, of one configuration, or one run, as tidy frames.

    Nothing is written, and neither torch nor Lightning is imported. Runs whose run.json is damaged, and the curves of
    runs whose event files are, are left out with a warning that names them.

    Args:
        folder: e.g. `outputs/digits_conv`.

    Raises:
        ConfigError: if there are no runs.
    """
    folder = Path(folder).expanduser()
    if (record := read_record(folder)) is not None:
        found = _identified(folder.absolute().parents[1].name, [(folder, record)])
    elif any(folder.glob(f"{folders.seed_folder('*')}/{folders.RUN_FILE}")):
        found = [run for run in _of_study(folder.absolute().parent) if run.folder.parent == folder.absolute()]
    else:
        at_depth = f"*/{folders.seed_folder('*')}/{folders.RUN_FILE}"
        studies = [folder] if any(folder.glob(at_depth)) else [file.parents[2] for file in folder.glob(f"*/{at_depth}")]
        found = [run for study in sorted(set(studies)) for run in _of_study(study)]
    if not found:
        raise ConfigError(f"{folder}: no runs here; name a study, e.g. outputs/digits_conv, or a folder of studies")
    return Results(found)


def _of_study(study: Path) -> list[_Run]:
    return _identified(study.absolute().name, [(run_folder(study, record), record) for record in study_runs(study)])


def _identified(study: str, runs: Sequence[tuple[Path, Record]]) -> list[_Run]:
    """The runs of one study, by configuration as its tables have them, then seed."""
    records = [record for _, record in runs]
    table, known = MetricTable.of(records), identities(records)
    order = list(known)
    made = [
        _Run(folder, record, {"study": study, **known[record["config"]], "seed": record["seed"]}, table)
        for folder, record in runs
    ]
    return sorted(made, key=lambda run: (order.index(run.record["config"]), run.record["seed"]))


def _described(run: _Run) -> dict[str, Any]:
    """The columns `_RUNS` of a run."""
    record = run.record
    provenance = record["provenance"] or {}
    copied = {name: record[name] for name in ("headline", "lr", "parameters", "attempts")}
    times = {name: record[name] for name in ("started", "finished", "duration_s")}
    return {
        **copied,
        **times,
        "state": str(state_in(run.folder, record)),
        "score": record["metrics"].get(record["headline"]),
        "best_epoch": record["metrics"].get(tags.BEST_EPOCH),
        "why": why(record),
        "device": provenance.get("device"),
        "folder": str(run.folder),
    }


def _unit(metric: Metric) -> str:
    """As values have it, which nothing multiplies by 100."""
    return "fraction" if metric.is_fraction else metric.unit


def _index(layer: str) -> int | None:
    """`03_block` -> 3; None for a layer that a monitor of the user's own has named in another way."""
    number = layer.partition("_")[0]
    return int(number) if number.isdecimal() else None


def _stacked(parts: Iterable[tuple[Curve, Mapping[str, Any]]], columns: Sequence[str]) -> pd.DataFrame:
    """One row for each point of the curves, beside what identifies the curve; texts are stored once, as categories."""
    parts = list(parts)
    lengths = [len(curve.steps) for curve, _ in parts]
    named = {}
    for name in columns:
        if name not in ("step", "value"):
            values = pd.Series([identity[name] for _, identity in parts], dtype=_kind(name))
            named[name] = values.repeat(lengths).reset_index(drop=True)
    points = {
        "step": np.concatenate([np.empty(0, np.int64), *(curve.steps for curve, _ in parts)]),
        "value": np.concatenate([np.empty(0), *(curve.values for curve, _ in parts)]),
    }
    return pd.DataFrame({**named, **points})[list(columns)]


def _kind(column: str) -> str:
    return {"blocks": "Int64", "index": "Int64", "seed": "int64"}.get(column, "category")
