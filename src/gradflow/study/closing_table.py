"""The table at the end of a sweep: activation by blocks, mean and spread over the seeds present."""

import math
import statistics
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gradflow.runs import folders, health, metrics
from gradflow.runs.record import Record, State
from gradflow.terminal import line


def closing_table(records: Sequence[Record]) -> RenderableType:
    """Headline metric of every configuration with the gradient-flow figure below it, then what went wrong.

    Args:
        records: run.json of the runs of one study, any state, in the order of the table's rows.
    """
    columns = sorted({_blocks(r) for r in records}, key=lambda b: (b is None, b))
    common = _common_axes(records)
    names_of_rows = [_row(record, without=common) for record in records]
    rows = list(dict.fromkeys(names_of_rows))
    cells: dict[tuple[str, Any], list[Record]] = {}
    for row, record in zip(names_of_rows, records, strict=True):
        cells.setdefault((row, _blocks(record)), []).append(record)
    best = {column: _best_row(cells, rows, column) for column in columns}
    table = Table()
    table.add_column("activation")
    for column in columns:
        table.add_column("" if column is None else f"blocks={column}", justify="right")
    for row in rows:
        entries = [_cell(cells.get((row, column), []), best=best[column] == row) for column in columns]
        table.add_row(Text(row), *entries)
    troubles = [_trouble(r) for r in records if r["state"] not in (State.FINISHED, State.PLANNED)]
    below = [line(_caption(records), style="dim"), *_lag(records), *troubles]
    return Group(line(_title(records, common)), table, *below)


def mean_and_sd(values: Sequence[float]) -> tuple[float, float]:
    """Mean and sample standard deviation (ddof = 1); the latter is NaN for a single value."""
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else math.nan


def _title(records: Sequence[Record], common: Mapping[str, Any]) -> str:
    headline = records[0]["headline"]
    shared = f" ({', '.join(f'{axis}={value}' for axis, value in common.items())})" if common else ""
    selected = ", selected on test" if headline in _AT_BEST and _selected_on_test(records) else ""
    return f"{records[0]['study']}: {headline}{selected}{shared}"


_LEADING = ("activation", "blocks")
_AT_BEST = {metrics.at_best(f"test/{score}") for score in ("acc", "mae", "r2", "loss")}


def _selected_on_test(records: Sequence[Record]) -> bool:
    return any(record["selected_on"] == "test" for record in records)


def _caption(records: Sequence[Record]) -> str:
    counts = Counter(r["config"] for r in records if r["state"] == State.FINISHED).values()
    fewest, most = min(counts, default=0), max(counts, default=0)
    over = f"{most}" if fewest == most else f"{fewest} to {most}"
    count = f"mean ± sd over {over} seeds" if most > 1 else "one seed"
    return f"{count}; * best of its column; below: {metrics.DECADES_PER_LAYER} in the last epoch"


def _lag(records: Sequence[Record]) -> list[Text]:
    """One line where the scores by running averages are not those of the weights."""
    if records[0]["headline"] not in ("test/acc", metrics.at_best("test/acc")):
        return []
    behind: dict[str, list[float]] = {}
    for record in records:
        if record["state"] == State.FINISHED and (gap := health.lag(record["metrics"])) is not None:
            behind.setdefault(record["config"], []).append(gap)
    lagging = [config for config, gaps in behind.items() if statistics.fmean(gaps) > health.LAG]
    text = (
        f"in {len(lagging)} of {len(behind)} configurations batch normalisation's running averages lag behind the last "
        f"epoch's weights: see {metrics.precise_bn('test/acc')} in the report"
    )
    return [line(text, style="yellow")] if lagging else []


def _common_axes(records: Sequence[Record]) -> dict[str, Any]:
    """Axes beside activation and depth that are the same in all configurations."""
    first, *others = (record["axes"] for record in records)
    return {
        axis: value
        for axis, value in first.items()
        if axis not in _LEADING and all(axis in axes and axes[axis] == value for axes in others)
    }


def _row(record: Record, *, without: Collection[str]) -> str:
    others = [f"{k}={v}" for k, v in record["axes"].items() if k not in _LEADING and k not in without]
    return ", ".join([record["activation"], *others])


def _blocks(record: Record) -> int | None:
    return record["blocks"]


def _values(records: Sequence[Record], tag: str) -> list[float]:
    values = [r["metrics"].get(tag) for r in records if r["state"] == State.FINISHED]
    return [value for value in values if value is not None]


def _best_row(cells: dict[tuple[str, Any], list[Record]], rows: Sequence[str], column: Any) -> str | None:
    """The row of the highest mean (the lowest, of a loss or an error); None without one, or in a tie."""
    means = {}
    for row in rows:
        if (records := cells.get((row, column), [])) and (values := _values(records, records[0]["headline"])):
            lower_is_better = records[0]["headline"].split("/")[-1].startswith(("loss", "mae"))
            means[row] = -statistics.fmean(values) if lower_is_better else statistics.fmean(values)
    best = [row for row, mean in means.items() if mean == max(means.values())]
    return best[0] if len(best) == 1 and len(means) > 1 else None


def _cell(records: Sequence[Record], *, best: bool) -> Text:
    values = _values(records, records[0]["headline"]) if records else []
    diverged = sum(r["state"] == State.DIVERGED for r in records)
    note = f"\n{diverged} diverged  " if diverged else ""
    if not values:
        return Text.assemble("-  ", (note, "red"))
    mean, sd = mean_and_sd(values)
    text = f"{mean:.3f}" + ("" if math.isnan(sd) else f" ± {sd:.3f}") + (" *" if best else "  ")
    flow = _values(records, metrics.DECADES_PER_LAYER)
    below = f"{statistics.fmean(flow):+.2f}  " if flow else ""
    return Text.assemble((text, "bold green" if best else ""), "\n", (below, "dim"), (note, "red"))


def _trouble(record: Record) -> Text:
    error = record["error"] or {}
    said = [text for text in (error.get("type"), error.get("message")) if text]
    run = f"{record['config']}/{folders.seed_folder(record['seed'])}"
    first_line = ": ".join([record["state"], run, *said]).splitlines()[0]
    return line(first_line, style="red" if record["state"] == State.FAILED else "yellow")
