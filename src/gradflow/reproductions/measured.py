"""What was measured for a claim: one value per seed, from the tables of its study."""

import numpy as np
import pandas as pd

from gradflow.figures.table import Table
from gradflow.reproductions.numbers import NOTHING, magnitude_text
from gradflow.reproductions.published import Claim
from gradflow.reproductions.stored import Tables
from gradflow.runs import tags
from gradflow.runs.metrics import MetricTable
from gradflow.study.configurations import groups
from gradflow.study.statistics import summary


def by_seed(claim: Claim, tables: Tables) -> dict[int, float]:
    """The claim's metric of every finished run; or its change from another depth, or its ratio to another activation.

    A run that lacks the metric, or ended before the epoch in question, is left out.
    """
    own = _metric(claim, tables, claim.activation, claim.blocks)
    if claim.from_blocks is not None:
        start = _metric(claim, tables, claim.activation, claim.from_blocks)
        return {seed: own[seed] - start[seed] for seed in own if seed in start}
    if claim.rule != "below":
        return own
    assert claim.other is not None
    other = _metric(claim, tables, claim.other, claim.blocks)
    return {seed: own[seed] / other[seed] for seed in own if other.get(seed)}


def _metric(claim: Claim, tables: Tables, activation: str, blocks: int | None) -> dict[int, float]:
    if claim.epoch is None and claim.over is None:
        runs = cell(tables.finished, activation, blocks)
        return _known(dict(zip(runs["seed"], runs[claim.metric], strict=True)))
    curves = cell(tables.epochs, activation, blocks)
    values = {}
    for seed, curve in curves.groupby("seed"):
        if claim.over is not None:
            values[seed] = float(10 ** np.log10(curve[claim.metric]).mean())
        elif curve["epoch"].max() >= claim.epoch:
            values[seed] = curve.loc[curve["epoch"] <= claim.epoch, claim.metric].max()
    return _known(values)


def mean_curve(tables: Tables, activation: str, blocks: int | None, metric: str) -> pd.Series:
    """Mean over the seeds by epoch, for the epochs that every run has; empty without runs."""
    curves = cell(tables.epochs, activation, blocks)
    by_run = curves.pivot_table(index="epoch", columns="seed", values=metric)
    return by_run.dropna().mean(axis="columns")


def cell(frame: pd.DataFrame, activation: str, blocks: int | None) -> pd.DataFrame:
    """The rows of one activation, and of one depth where the study has several."""
    chosen = frame["activation"] == activation
    return frame[chosen if blocks is None else chosen & (frame["blocks"] == blocks)]


def _known(values: dict) -> dict[int, float]:
    return {int(seed): float(value) for seed, value in values.items() if np.isfinite(value)}


TEST_ACC = tags.test(tags.ACC)
_COLUMNS = {
    **{tag: MetricTable()[tag].words for tag in (tags.at_best(TEST_ACC), TEST_ACC, tags.recomputed_bn(TEST_ACC))},
    tags.train(tags.ACC): "training accuracy",
    tags.BEST_EPOCH: "best epoch",
    tags.GRAD_ABS_MEAN_ALL_STEPS: "mean absolute gradient",
    tags.of_layer(tags.DEAD_UNITS, tags.TOTAL): "dead units",
    **{f"init={scheme}": f"signal, init={scheme}" for scheme in ("he", "lecun", "torch")},
}


def measured_table(tables: Tables) -> Table:
    """Mean and 95 % interval of the main metrics, one row per activation and depth with finished runs."""
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
    metric = MetricTable()[tag]
    magnitude = metric.is_logarithmic or tag.startswith("init=")
    found = summary(values, log10=magnitude, within=metric.limits)
    shown = [_number(value, tag, magnitude=magnitude) for value in (found.mean, found.low, found.high)]
    text = shown[0] if found.n == 1 else f"{shown[0]} [{shown[1]}, {shown[2]}]"
    return text if found.n == len(part) else f"{text} (n = {found.n})"


def _number(value: float, tag: str, *, magnitude: bool) -> str:
    if magnitude:
        return magnitude_text(value)
    return f"{value:.1f}" if tag == tags.BEST_EPOCH else f"{value:.4f}"
