"""The metrics of run.json, averaged over the seeds of a configuration."""

from collections.abc import Sequence

import pandas as pd

from gradflow.runs.metrics import MetricTable
from gradflow.runs.record import Record
from gradflow.study.statistics import summary


def reported(records: Sequence[Record], table: MetricTable) -> list[str]:
    """Tags of run.json in the report: the headline first, the others in the order of the table."""
    present = {tag for record in records for tag, value in record["metrics"].items() if value is not None}
    headline = records[0]["headline"]
    others = [tag for tag in table.reported(present) if tag != headline]
    return [headline, *others] if headline in present else others


def every_seed(runs: Sequence[Record], table: MetricTable) -> pd.DataFrame:
    """metric, seed, value: one row per metric and finished run of a configuration."""
    rows = [
        {"metric": tag, "seed": run["seed"], "value": run["metrics"][tag]}
        for tag in reported(runs, table)
        for run in runs
        if run["metrics"].get(tag) is not None
    ]
    return pd.DataFrame(rows)


def averages(runs: Sequence[Record], table: MetricTable) -> pd.DataFrame:
    """metric, n, mean, sd, low, high, seeds (as text) over the finished runs of one configuration."""
    rows = []
    for tag in reported(runs, table):
        metric = table[tag]
        values = {run["seed"]: value for run in runs if (value := run["metrics"].get(tag)) is not None}
        kept = {seed: value for seed, value in values.items() if value > 0 or not metric.is_logarithmic}
        if kept:
            one = summary(list(kept.values()), log10=metric.is_logarithmic, within=metric.limits)
            numbers = {name: getattr(one, name) for name in ("n", "mean", "sd", "low", "high")}
            rows.append({"metric": tag, **numbers, "seeds": ", ".join(map(str, kept))})
    return pd.DataFrame(rows)
