"""Figures in words, for those who cannot see them: one sentence with the numbers that a figure shows."""

from collections.abc import Mapping, Sequence

import pandas as pd

from gradflow.figures.marks import Legend
from gradflow.runs.metrics import Metric
from gradflow.runs.words import capital, setting_words
from gradflow.study.configurations import groups
from gradflow.study.courses import digits


def over(frame: pd.DataFrame, by: str, legend: Legend, *, metric: Metric, against: str, at: str = "") -> str:
    """What becomes of a metric from one end of an axis to the other, for each activation and variant.

    Args:
        frame: activation, variant, mean, and the column of the axis.
        by: that column.
        legend: of the study.
        metric: whose means these are.
        against: the axis in words; empty where there is one point a line.
        at: when, or of what, in words.
    """
    parts = []
    for keys, part in groups(frame.dropna(subset=["mean"]), ["variant"]):
        lines = {
            legend.names[str(found["activation"])]: line.sort_values(by)["mean"].tolist()
            for found, line in groups(part, ["activation"])
        }
        parts.append(": ".join(filter(None, [setting_words(keys["variant"]), _series(lines, metric)])))
    shown = " ".join(filter(None, [metric.words, against and f"by {against}", at]))
    return f"{capital(shown)}: {'; '.join(parts)}." if parts else ""


def _series(lines: Mapping[str, Sequence[float]], metric: Metric) -> str:
    return ", ".join(f"{name} {_course(values, metric)}" for name, values in lines.items())


def _course(values: Sequence[float], metric: Metric) -> str:
    """`96 falling to 63 %` where the ends are the extremes, else `97 to 99 %`."""
    said = [digits(value, metric) for value in values]
    unit = " %" if metric.is_fraction else ""
    low, high = (said[values.index(extreme)] for extreme in (min(values), max(values)))
    if low == high:
        return f"{low}{unit}"
    if {said[0], said[-1]} == {low, high}:
        return f"{said[0]} {'rising' if said[-1] == high else 'falling'} to {said[-1]}{unit}"
    return f"{low} to {high}{unit}"
