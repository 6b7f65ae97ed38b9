"""From a finished study to the small tables that are kept from it."""

import itertools
import json
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from gradflow import CONF, invocation
from gradflow.reproductions.stored import Tables, several
from gradflow.runs import tags
from gradflow.runs.events import Curve
from gradflow.runs.metrics import MetricTable
from gradflow.runs.record import Record, State
from gradflow.study.records import study_runs, whole_curves
from gradflow.study.status import true_state

DEAD = tags.of_layer(tags.DEAD_UNITS, tags.TOTAL)
TRAIN_ACC, VAL_ACC, TEST_ACC = (part(tags.ACC) for part in (tags.train, tags.val, tags.test))
TRAIN_LOSS = tags.train(tags.LOSS)
METRICS = [
    *("parameters", TEST_ACC, tags.at_best(TEST_ACC), tags.recomputed_bn(TEST_ACC)),
    *(VAL_ACC, tags.best(VAL_ACC), tags.BEST_EPOCH, TRAIN_ACC, TRAIN_LOSS),
    *(tags.GRAD_ABS_MEAN_ALL_STEPS, DEAD),
]
BY_EPOCH = [VAL_ACC, TRAIN_ACC, TRAIN_LOSS, tags.GRAD_NORM_TOTAL, tags.GRAD_ABS_MEAN]
NOT_SHOWN = ("output_dir", "data_dir", "rerun")  # of a command: places on one machine, and what to do with old runs
AXES = ("activation", "blocks")
NOT_STARTED = "not run"


def collect(folder: Path) -> Tables | None:
    """The tables of the study in a folder; None if nothing has finished there.

    Runs whose settings differ in more than activation, depth and seed are not mixed: the settings with the most
    finished runs count.
    """
    every_run = study_runs(folder)
    for record in every_run:
        record["state"] = true_state(folder, record)
    records, left_out = _one_variant(every_run)
    finished = [record for record in records if record["state"] == State.FINISHED]
    if not finished:
        return None
    rows = _rows(preset_runs(folder.name), records)
    read = [(identity, whole_curves(folder, r)) for identity, r in rows if r and _done(r)]
    return Tables(
        facts=_facts(finished, left_out=left_out),
        runs=pd.DataFrame([{**identity, **_outcome(record)} for identity, record in rows]),
        epochs=pd.concat([_epochs(identity, found or {}) for identity, found in read], ignore_index=True).reindex(
            columns=["activation", "blocks", "seed", "epoch", *BY_EPOCH]
        ),
    )


def _one_variant(records: Sequence[Record]) -> tuple[list[Record], int]:
    """The runs of the settings with the most finished runs, and how many finished runs have other settings."""
    settings = [json.dumps(_settings(record), sort_keys=True, default=str) for record in records]
    finished = Counter(s for s, record in zip(settings, records, strict=True) if record["state"] == State.FINISHED)
    if not finished:
        return [], 0
    chosen = finished.most_common(1)[0][0]
    kept = [record for s, record in zip(settings, records, strict=True) if s == chosen]
    return kept, finished.total() - finished[chosen]


def _settings(record: Record) -> dict[str, Any]:
    """What differs from the preset, besides activation and depth; of a path, only the last part."""
    return {axis: _without_folder(value) for axis, value in record["axes"].items() if axis not in AXES}


def _rows(wanted: Sequence[Mapping[str, Any]], records: Sequence[Record]) -> list[tuple[dict[str, Any], Record | None]]:
    """Every run that the preset asks for, then any others that were made, each with its record if there is one."""
    varied = [axis for axis in (*AXES, "seed") if axis in wanted[0]]
    found = {tuple(record[axis] for axis in varied): record for record in records}  # type: ignore[literal-required]
    keys = list(dict.fromkeys([*(tuple(one[axis] for axis in varied) for one in wanted), *found]))
    rows = []
    for key in keys:
        named = dict(zip(varied, key, strict=True))
        identity = {"activation": named["activation"], "blocks": named.get("blocks"), "seed": named["seed"]}
        rows.append((identity, found.get(key)))
    return rows


def _done(record: Record) -> bool:
    return record["state"] == State.FINISHED


def _outcome(record: Record | None) -> dict[str, Any]:
    if record is None:
        return {"state": NOT_STARTED, "minutes": np.nan, **dict.fromkeys(METRICS, np.nan)}
    final = {"parameters": record["parameters"], **record["metrics"]} if _done(record) else {}
    minutes = round((record["duration_s"] or 0.0) / 60, 2) if _done(record) else np.nan
    return {"state": record["state"], "minutes": minutes, **{tag: final.get(tag, np.nan) for tag in METRICS}}


def _epochs(identity: Mapping[str, Any], found: Mapping[str, Curve]) -> pd.DataFrame:
    """The curves by epoch; for what is recorded at every step, the mean over the epoch (geometric for a norm).

    A run without a logger, or whose curves are not whole, has none.
    """
    if VAL_ACC not in found:
        return pd.DataFrame()
    ends = found[VAL_ACC].steps
    table = MetricTable()
    columns = {tag: _by_epoch(found[tag], ends, log10=table[tag].is_logarithmic) for tag in BY_EPOCH if tag in found}
    if tags.GRAD_ABS_MEAN in found:  # published as an arithmetic mean
        columns[tags.GRAD_ABS_MEAN] = _by_epoch(found[tags.GRAD_ABS_MEAN], ends, log10=False)
    return pd.DataFrame({**identity, "epoch": np.arange(1, len(ends) + 1), **columns})


def _by_epoch(curve: Curve, ends: np.ndarray, *, log10: bool) -> np.ndarray:
    """One value per epoch, shape (epochs,). Epoch e covers the steps from the end of the previous epoch to its own."""
    if len(curve.steps) == len(ends) and (curve.steps == ends).all():
        return curve.values
    values = np.log10(curve.values) if log10 else curve.values
    epoch = np.searchsorted(ends, curve.steps, side="right")
    means = np.array([values[epoch == e].mean() for e in range(len(ends))])
    return 10.0**means if log10 else means


def _facts(finished: Sequence[Record], *, left_out: int) -> dict[str, str]:
    whole = [record["provenance"] or {} for record in finished]
    started = min(datetime.fromisoformat(record["started"] or "") for record in finished)
    ended = max(datetime.fromisoformat(record["finished"] or "") for record in finished)
    commands = [command(p["command"]) for p in whole]
    differs = _settings(finished[0])
    return {
        "command": several([text for text in commands if "resume=" not in text] or commands),
        "differs": ", ".join(f"{axis}={value}" for axis, value in differs.items()),
        "commit": several(p["git_commit"] or "none" for p in whole),
        "tree": "clean" if all(p["git_clean"] for p in whole) else "with uncommitted changes",
        **{key: several(p[key] for p in whole) for key in ("torch", "lightning", "python", "device", "threads")},
        "minutes": f"{sum(record['duration_s'] or 0.0 for record in finished) / 60:.1f}",
        "elapsed_minutes": f"{(ended - started).total_seconds() / 60:.1f}",
        "date": ended.date().isoformat(),
        "left_out": str(left_out),
    }


def command(typed: str) -> str:
    """A command line without the paths of the machine on which it ran.

    `/home/x/train.py data.path=/data/a.npz output_dir=/tmp` is `python train.py data.path=a.npz`.
    """
    program, *arguments = shlex.split(typed)
    shown = []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if key not in NOT_SHOWN:
            shown.append(f"{key}{equals}{_without_folder(value)}")
    name = Path(program).name
    return shlex.join([*([] if name == invocation.NAME else ["python"]), name, *shown])


def _without_folder(value: Any) -> str:
    """The last part of a path; anything else unchanged."""
    text = str(value).strip("'\"")
    return Path(text).name if "/" in text else text


PRESETS = CONF / "experiment"


def preset_runs(study: str) -> list[dict[str, Any]]:
    """Every combination of the preset's sweep: `activation`, `seed`, and `blocks` where it varies them."""
    axes = {key: _values(text) for key, text in _sweep(study).items()}
    return [dict(zip(axes, combination, strict=True)) for combination in itertools.product(*axes.values())]


def _sweep(study: str) -> dict[str, Any]:
    """The axes of a preset, including those of the preset that it extends."""
    own = yaml.safe_load((PRESETS / f"{study}.yaml").read_text(encoding="utf-8"))
    swept: dict[str, Any] = {}
    for parent in own.get("defaults", []):
        swept |= _sweep(parent) if isinstance(parent, str) else {}
    return swept | own.get("hydra", {}).get("sweeper", {}).get("params", {})


def _values(text: Any) -> list[Any]:
    values = str(text).split(",")
    return [int(value) if value.isdigit() else value for value in values]
