"""The value of a swept key, such as the learning rate, that suits each configuration best on validation data."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradflow.runs import tags
from gradflow.runs.metrics import MetricTable
from gradflow.runs.record import Record, State

LR = "optimizer.lr"
DEFAULT = "default"  # stands for the study's own value of a key, where a record does not state it
INCOMPLETE = "incomplete"
_BEST_ACC, _BEST_LOSS = (tags.best(tags.val(score)) for score in (tags.ACC, tags.LOSS))


@dataclass(frozen=True)
class Choice:
    """What was chosen for one configuration.

    Attributes:
        key: the tuned one.
        seeds: those it was tuned on.
        axes: of the configuration, without the key.
        found: False if no value is left; then `value` is None.
        value: the chosen one.
        tried: every value tried in the configuration, numbers in ascending order.
        disqualified: (value, why) of those that a tuning seed rules out: it `diverged`, or has not finished
            (`incomplete`).
        at_edge: whether the chosen number is the smallest or largest tried, so that a better one may lie beyond.
    """

    key: str
    seeds: tuple[int, ...]
    axes: Mapping[str, Any]
    found: bool
    value: Any
    tried: tuple[Any, ...]
    disqualified: tuple[tuple[Any, str], ...]
    at_edge: bool


@dataclass(frozen=True)
class Tuning:
    """The chosen values of a key, and the runs to test: the other seeds at these values, without the key in `axes`."""

    choices: tuple[Choice, ...]
    records: list[Record]


def tune(records: Sequence[Record], *, key: str = LR, tuning_seeds: Sequence[int]) -> Tuning:
    """Choose the value of a swept key for each activation, depth and whatever else the study varies.

    The highest mean of `val/acc_best` over the tuning seeds wins, or the lowest mean of `val/loss_best` where there is
    no accuracy, or the best mean of what somebody's module ranks its epochs by; ties go to the smaller number. A value
    is out if a tuning seed diverged or did not finish with it.

    Args:
        records: run.json of the runs of one study.
        key: the swept key, as in `axes`.
        tuning_seeds: the seeds that choose; every other seed tests.

    Raises:
        ValueError: if the key was not swept, a tuning seed has no run, or no seed is left to test.
    """
    seeds = tuple(sorted(set(tuning_seeds)))
    configurations: dict[str, list[Record]] = {}
    for record in records:
        configurations.setdefault(json.dumps(_others(record, key), sort_keys=True), []).append(record)
    _check(records, configurations.values(), key=key, seeds=seeds)
    choices, tests = [], []
    for runs in configurations.values():
        choice = _choose(runs, key=key, seeds=seeds)
        choices.append(choice)
        tests += [
            record | {"axes": _others(record, key)}
            for record in runs
            if choice.found and record["seed"] not in seeds and _value(record, key) == choice.value
        ]
    if not any(choice.found for choice in choices):
        raise ValueError(
            f"tuning {key}: the runs of seeds {show(seeds)} diverged or have not finished; finish the sweep"
        )
    return Tuning(choices=tuple(choices), records=tests)


def show(values: Sequence[Any]) -> str:
    """`0.0003, 0.001`: numbers as in folder names."""
    return ", ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in values)


def _others(record: Record, key: str) -> dict[str, Any]:
    return {axis: value for axis, value in record["axes"].items() if axis != key}


def _value(record: Record, key: str) -> Any:
    """The record's value of a key. A value that is the study's default is not among the axes."""
    if key in record["axes"]:
        value = record["axes"][key]
    else:
        value = record.get("lr") if key == LR else None
        value = DEFAULT if value is None else value
    return float(value) if _is_number(value) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check(records: Sequence[Record], configurations: Any, *, key: str, seeds: Sequence[int]) -> None:
    if all(len(_tried(runs, key)) < 2 for runs in configurations):
        example = "3e-4,1e-3,3e-3" if key == LR else "VALUE,VALUE"
        raise ValueError(f"tuning {key}: this study has only one value of it; sweep it first, e.g. {key}={example}")
    present = {record["seed"] for record in records}
    if not seeds:
        raise ValueError(f"tuning {key}: no tuning seeds; name some of {show(sorted(present))}")
    if absent := set(seeds) - present:
        raise ValueError(
            f"tuning seeds {show(sorted(absent))}: the study has no such runs, only seeds {show(sorted(present))}"
        )
    if not present - set(seeds):
        raise ValueError(f"tuning seeds {show(seeds)}: no other seed is left to test; run more seeds or tune on fewer")


def _tried(runs: Sequence[Record], key: str) -> list[Any]:
    """The distinct values, numbers first, in ascending order."""
    values: list[Any] = []
    for value in (_value(record, key) for record in runs):
        if value not in values:
            values.append(value)
    return sorted(filter(_is_number, values)) + [value for value in values if not _is_number(value)]


def _choose(runs: Sequence[Record], *, key: str, seeds: tuple[int, ...]) -> Choice:
    tried = _tried(runs, key)
    by_seed = [{r["seed"]: r for r in runs if _value(r, key) == value} for value in tried]
    tuning_runs = [[found.get(seed) for seed in seeds] for found in by_seed]
    finished = [r for value_runs in tuning_runs for r in value_runs if r and r["state"] == State.FINISHED]
    tag, is_lower_better = _chooser(finished)
    scores = [_score(value_runs, tag, is_lower_better=is_lower_better) for value_runs in tuning_runs]
    numeric = [i for i, score in enumerate(scores) if isinstance(score, float)]
    best = max(numeric, key=lambda i: scores[i]) if numeric else None
    bounds = [v for v, score in zip(tried, scores, strict=True) if score != INCOMPLETE and _is_number(v)]
    return Choice(
        key=key,
        seeds=seeds,
        axes=_others(runs[0], key),
        found=best is not None,
        value=None if best is None else tried[best],
        tried=tuple(tried),
        disqualified=tuple((v, score) for v, score in zip(tried, scores, strict=True) if isinstance(score, str)),
        at_edge=best is not None and _is_number(tried[best]) and tried[best] in (bounds[0], bounds[-1]),
    )


def _chooser(finished: Sequence[Record]) -> tuple[str, bool]:
    """The metric that chooses, of somebody's module its monitored one, and whether less of it is better."""
    present = dict.fromkeys(tag for record in finished for tag in record["metrics"])
    monitored = [tag for tag in present if tags.is_of_best(tag) and tags.of_last_epoch(tag) == tag]
    tag = next((tag for tag in (_BEST_ACC, _BEST_LOSS, *monitored) if tag in present), _BEST_LOSS)
    return tag, MetricTable.of(finished)[tag].better == "lower"


def _score(runs: Sequence[Record | None], tag: str, *, is_lower_better: bool) -> float | str:
    """Mean over the tuning seeds, the higher the better; or the reason why there is none."""
    if any(run and run["state"] == State.DIVERGED for run in runs):
        return State.DIVERGED
    values = [run["metrics"].get(tag) if run and run["state"] == State.FINISHED else None for run in runs]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return INCOMPLETE
    mean = float(f"{statistics.fmean(known):.6g}")  # scores are float32: a difference in the 7th digit is a tie
    return -mean if is_lower_better else mean
