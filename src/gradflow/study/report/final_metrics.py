"""The metrics of run.json, averaged over the seeds of a configuration."""

from collections.abc import Sequence

import pandas as pd

from gradflow.runs import metrics
from gradflow.runs.record import Record
from gradflow.study.statistics import summary


def metrics_of(records: Sequence[Record]) -> list[str]:
    """Tags of run.json that are worth a row of the table, the headline first."""
    present = {tag for record in records for tag, value in record["metrics"].items() if value is not None}
    scores = ("acc", "r2", "mae", "loss")
    wanted = [
        records[0]["headline"],
        *(metrics.at_best(f"test/{score}") for score in scores),
        *(f"test/{score}" for score in scores),
        *(metrics.precise_bn(f"test/{score}") for score in scores),
        *(metrics.best(f"val/{score}") for score in scores),
        *(f"{part}/{score}" for part in ("val", "train") for score in scores),
        metrics.DECADES_PER_LAYER,
        metrics.FIRST_TO_LAST,
        metrics.GRAD_NORM_TOTAL,
        metrics.GRAD_ABS_MEAN_ALL_STEPS,
        *(metrics.unit_tag(quantity, "total") for quantity in metrics.UNIT_QUANTITIES),
    ]
    return [tag for tag in dict.fromkeys(wanted) if tag in present]


def every_seed(runs: Sequence[Record]) -> pd.DataFrame:
    """metric, seed, value: one row a finished run of a configuration and metric."""
    rows = [
        {"metric": tag, "seed": run["seed"], "value": run["metrics"][tag]}
        for tag in metrics_of(runs)
        for run in runs
        if run["metrics"].get(tag) is not None
    ]
    return pd.DataFrame(rows)


def averages(runs: Sequence[Record]) -> pd.DataFrame:
    """metric, n, mean, sd, low, high, seeds (as text) over the finished runs of one configuration."""
    rows = []
    for tag in metrics_of(runs):
        log10 = metrics.is_logarithmic(tag)
        values = {run["seed"]: run["metrics"][tag] for run in runs if run["metrics"].get(tag) is not None}
        kept = {seed: value for seed, value in values.items() if value > 0 or not log10}
        if kept:
            one = summary(list(kept.values()), log10=log10, within=metrics.limits(tag))
            numbers = {name: getattr(one, name) for name in ("n", "mean", "sd", "low", "high")}
            rows.append({"metric": tag, **numbers, "seeds": ", ".join(map(str, kept))})
    return pd.DataFrame(rows)
