"""The table of what a study measured, claims or no claims."""

import pandas as pd

from gradflow.figures.table import Table
from gradflow.reproductions.numbers import NOTHING, magnitude_text
from gradflow.reproductions.stored import Tables
from gradflow.runs import metrics
from gradflow.study.configurations import groups
from gradflow.study.statistics import summary

_COLUMNS = {
    "test/acc_at_best": "test accuracy at the best epoch",
    "test/acc": "test accuracy",
    metrics.precise_bn("test/acc"): "test accuracy, precise batch norm",
    "train/acc": "training accuracy",
    metrics.BEST_EPOCH: "best epoch",
    metrics.GRAD_ABS_MEAN_ALL_STEPS: "mean absolute gradient",
    metrics.unit_tag(metrics.DEAD_UNITS, "total"): "dead units",
    **{f"init={scheme}": f"signal, init={scheme}" for scheme in ("he", "lecun", "torch")},
}


def measured_table(tables: Tables) -> Table:
    """Mean and 95 % interval of the main metrics, one row an activation and depth that has finished runs."""
    finished = tables.finished
    shown = [tag for tag in _COLUMNS if tag in finished and finished[tag].notna().any()]
    deep = finished["blocks"].nunique() > 1
    rows = []
    for keys, part in groups(finished, ["activation", "blocks"]):
        depth = [f"{keys['blocks']:g}"] if deep else []
        rows.append([keys["activation"], *depth, str(len(part)), *(_estimate(part, tag) for tag in shown)])
    headers = ["activation", *(["blocks"] if deep else []), "n", *(_COLUMNS[tag] for tag in shown)]
    return Table(caption="", headers=headers, rows=rows)


def _estimate(part: pd.DataFrame, tag: str) -> str:
    values = part[tag].dropna().tolist()
    if not values:
        return NOTHING
    magnitude = metrics.is_logarithmic(tag) or tag.startswith("init=")
    found = summary(values, log10=magnitude, within=metrics.limits(tag))
    shown = [_number(value, tag, magnitude=magnitude) for value in (found.mean, found.low, found.high)]
    text = shown[0] if found.n == 1 else f"{shown[0]} [{shown[1]}, {shown[2]}]"
    return text if found.n == len(part) else f"{text} (n = {found.n})"


def _number(value: float, tag: str, *, magnitude: bool) -> str:
    if magnitude:
        return magnitude_text(value)
    return f"{value:.1f}" if tag == metrics.BEST_EPOCH else f"{value:.4f}"
