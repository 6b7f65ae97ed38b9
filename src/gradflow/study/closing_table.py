"""The table at the end of a sweep: activation by blocks, mean and spread over the available seeds."""

import math
import statistics
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gradflow.runs import folders, metrics, tags
from gradflow.runs.metrics import Metric, MetricTable
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
    known = MetricTable.of(records)
    flow = _flow(records)
    best = {column: _best_row(cells, rows, column, known) for column in columns}
    table = Table()
    table.add_column("activation")
    for column in columns:
        table.add_column("" if column is None else f"blocks={column}", justify="right")
    for row in rows:
        runs = [(cells.get((row, column), []), best[column] == row) for column in columns]
        table.add_row(Text(row), *(_cell(found, known, best=is_best, flow=flow) for found, is_best in runs))
    troubles = [_trouble(r) for r in records if r["state"] not in (State.FINISHED, State.PLANNED)]
    below = [line(_caption(records, known[records[0]["headline"]]), style="dim"), *troubles]
    return Group(line(_title(records, common)), table, *below)


def mean_and_sd(values: Sequence[float]) -> tuple[float, float]:
    """Mean and sample standard deviation (ddof = 1); the latter is NaN for a single value."""
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else math.nan


def _title(records: Sequence[Record], common: Mapping[str, Any]) -> str:
    headline = records[0]["headline"]
    shared = f" ({', '.join(f'{axis}={value}' for axis, value in common.items())})" if common else ""
    selected = (
        f", {metrics.SELECTED_ON_TEST}" if tags.is_of_best(headline) and metrics.selected_on_test(records) else ""
    )
    return f"{records[0]['study']}: {headline}{selected}{shared}"


_LEADING = ("activation", "blocks")


def _caption(records: Sequence[Record], metric: Metric) -> str:
    counts = Counter(r["config"] for r in records if r["state"] == State.FINISHED).values()
    fewest, most = min(counts, default=0), max(counts, default=0)
    over = f"{most}" if fewest == most else f"{fewest} to {most}"
    mean = "geometric mean ± sd in decades" if metric.is_logarithmic else "mean ± sd"
    count = f"{mean} over {over} seeds" if most > 1 else "one seed"
    if most > 1 and metric.is_logarithmic and not all(value > 0 for value in _values(records, metric.tag)):
        count += ", zeros left out"
    star = "; * best in its column" if metric.better else ""
    return f"{count}{star}{_caption_of_flow(records)}"


def _flow(records: Sequence[Record]) -> str:
    """The gradient flow that is shown: the gain per layer, or where no configuration has one, first to last layer."""
    return tags.GAIN_PER_LAYER if _values(records, tags.GAIN_PER_LAYER) else tags.FIRST_TO_LAST


def _caption_of_flow(records: Sequence[Record]) -> str:
    flow = _flow(records)
    if not _values(records, flow):
        return ""
    if flow == tags.GAIN_PER_LAYER:
        return "; below: the gradient's gain per layer on its way to the input (under 1 it vanishes)"
    return "; below: gradient of the first hidden layer over that of the last (no two later layers have one shape)"


def _common_axes(records: Sequence[Record]) -> dict[str, Any]:
    """Axes other than activation and depth that have the same value in all configurations."""
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


def _best_row(
    cells: dict[tuple[str, Any], list[Record]], rows: Sequence[str], column: Any, table: MetricTable
) -> str | None:
    """The row with the best mean; None if there is none, in a tie, or if the means cannot be ranked."""
    compared = {row: records for row in rows if (records := cells.get((row, column)))}
    headlines = {records[0]["headline"] for records in compared.values()}
    metric = table[headlines.pop()] if len(headlines) == 1 else None
    if metric is None or metric.better is None:
        return None
    measured = {row: values for row, records in compared.items() if (values := _values(records, metric.tag))}
    means = {row: _mean_and_spread(values, metric)[0] for row, values in measured.items()}
    chosen = max(means.values(), default=0.0) if metric.better == "higher" else min(means.values(), default=0.0)
    best = [row for row, mean in means.items() if mean == chosen]
    return best[0] if len(best) == 1 and len(means) > 1 else None


def _mean_and_spread(values: Sequence[float], metric: Metric) -> tuple[float, float]:
    """Mean and sample standard deviation; for a metric averaged as log10, the geometric mean and decades."""
    if not metric.is_logarithmic:
        return mean_and_sd(values)
    positive = [math.log10(value) for value in values if value > 0]
    if not positive:
        return 0.0, math.nan
    mean, decades = mean_and_sd(positive)
    return 10.0**mean, decades


def _cell(records: Sequence[Record], table: MetricTable, *, best: bool, flow: str) -> Text:
    headline = records[0]["headline"] if records else ""
    values = _values(records, headline)
    diverged = sum(r["state"] == State.DIVERGED for r in records)
    note = f"\n{diverged} diverged  " if diverged else ""
    if not values:
        return Text.assemble("-  ", (note, "red"))
    factors = [value for value in _values(records, flow) if value > 0]
    below = f"\N{MULTIPLICATION SIGN}{_mean_and_spread(factors, table[flow])[0]:.2g}  " if factors else ""
    text = _number(values, table[headline]) + (" *" if best else "  ")
    return Text.assemble((text, "bold green" if best else ""), "\n", (below, "dim"), (note, "red"))


def _number(values: Sequence[float], metric: Metric) -> str:
    """`0.953 ± 0.004`; `1.2e-04 ± 0.11` (decades) for a metric averaged as log10."""
    mean, spread = _mean_and_spread(values, metric)
    digits, spread_digits = (".1e", ".2f") if metric.is_logarithmic else (".3f", ".3f")
    return f"{mean:{digits}}" if math.isnan(spread) else f"{mean:{digits}} ± {spread:{spread_digits}}"


def _trouble(record: Record) -> Text:
    error = record["error"]
    said = [text for text in (error["type"], error["message"]) if text] if error else []
    run = f"{record['config']}/{folders.seed_folder(record['seed'])}"
    first_line = ": ".join([record["state"], run, *said]).splitlines()[0]
    return line(first_line, style="red" if record["state"] == State.FAILED else "yellow")
