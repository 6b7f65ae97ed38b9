"""The metrics of run.json, averaged over the seeds of a configuration."""

from collections.abc import Sequence

import pandas as pd

from gradflow import names, runfile
from gradflow.study.configurations import Record
from gradflow.study.statistics import summary

UNIT_QUANTITIES = (names.DEAD_UNITS, names.LOW_SLOPE, names.DORMANT_UNITS)


def metrics_of(records: Sequence[Record]) -> list[str]:
    """Tags of run.json that are worth a row of the table, the headline first."""
    present = {tag for record in records for tag, value in record["metrics"].items() if value is not None}
    scores = ("acc", "r2", "mae", "loss")
    wanted = [
        records[0]["headline"],
        *(names.at_best(f"test/{score}") for score in scores),
        *(f"test/{score}" for score in scores),
        *(names.precise_bn(f"test/{score}") for score in scores),
        *(names.best(f"val/{score}") for score in scores),
        *(f"{part}/{score}" for part in ("val", "train") for score in scores),
        names.DECADES_PER_LAYER,
        names.FIRST_TO_LAST,
        names.GRAD_NORM_TOTAL,
        names.GRAD_ABS_MEAN_ALL_STEPS,
        *(names.unit_tag(quantity, "total") for quantity in UNIT_QUANTITIES),
    ]
    return [tag for tag in dict.fromkeys(wanted) if tag in present]


def precise_headline(records: Sequence[Record]) -> str | None:
    """What a headline by running averages is with batch normalisation's statistics computed anew, if a run has it."""
    headline = records[0]["headline"]
    tag = names.precise_bn(names.of_last_epoch(headline))
    finished = (record for record in records if record["state"] == runfile.FINISHED)
    measured = any(record["metrics"].get(tag) is not None for record in finished)
    return tag if measured and tag != headline else None


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
        log10 = names.is_logarithmic(tag)
        values = {run["seed"]: run["metrics"][tag] for run in runs if run["metrics"].get(tag) is not None}
        kept = {seed: value for seed, value in values.items() if value > 0 or not log10}
        if kept:
            one = summary(list(kept.values()), log10=log10, within=names.limits(tag))
            numbers = {name: getattr(one, name) for name in ("n", "mean", "sd", "low", "high")}
            rows.append({"metric": tag, **numbers, "seeds": ", ".join(map(str, kept))})
    return pd.DataFrame(rows)
