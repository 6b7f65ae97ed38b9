"""The table at the end of a sweep: activation by blocks, mean and spread over the available seeds."""

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from gradflow.runs import folders, metrics, tags
from gradflow.runs.metrics import Metric, MetricTable
from gradflow.runs.record import Record, State
from gradflow.runs.states import why
from gradflow.screen_table import Column, ScreenTable
from gradflow.study.captions import variation
from gradflow.study.configurations import LEADING, activation_of, variants
from gradflow.study.treatments import heading
from gradflow.terminal import sentence
from gradflow.wrapping import Wrapped


def closing_table(records: Sequence[Record]) -> RenderableType:
    """Headline metric of every configuration with the gradient-flow figure below it, then what went wrong.

    Args:
        records: run.json of the runs of one study, any state, in the order of the table's rows.
    """
    columns = sorted({_blocks(r) for r in records}, key=lambda b: (b is None, b))
    common = _common_axes(records)
    variant = variants(records)
    own = (lambda record: record["headline"]) if _several_headlines(records) else (lambda record: "")
    labels = [(activation_of(record["axes"]), variant[record["config"]], own(record)) for record in records]
    names_of_rows = [", ".join(filter(None, label)) for label in labels]
    rows = list(dict.fromkeys(names_of_rows))
    cells: dict[tuple[str, Any], list[Record]] = {}
    for row, record in zip(names_of_rows, records, strict=True):
        cells.setdefault((row, _blocks(record)), []).append(record)
    known = MetricTable.of(records)
    flow = _flow(records)
    best = {column: _best_row(cells, rows, column, known) for column in columns}
    first = Column(heading(name for name, *_ in labels), wraps=True)
    headers = ["" if column is None else f"blocks={column}" for column in columns]
    body = [
        [Text(row), *(_cell(cells.get((row, c), []), known, best=best[c] == row, flow=flow) for c in columns)]
        for row in rows
    ]
    table = ScreenTable([first, *(Column(header, is_number=True) for header in headers)], body, is_matrix=True)
    troubles = [_trouble(r) for r in records if r["state"] not in (State.FINISHED, State.PLANNED)]
    caption = Wrapped(Text(_caption(records, known[records[0]["headline"]], starred=any(best.values())), style="dim"))
    return Group(sentence(_title(records, common)), table, caption, *troubles)


def mean_and_sd(values: Sequence[float]) -> tuple[float, float]:
    """Mean and sample standard deviation (ddof = 1); the latter is NaN for a single value."""
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else math.nan


def _title(records: Sequence[Record], common: Mapping[str, Any]) -> str:
    headline = "each by its own headline" if _several_headlines(records) else records[0]["headline"]
    shared = f" ({', '.join(f'{axis}={value}' for axis, value in common.items())})" if common else ""
    selected = (
        f", {metrics.SELECTED_ON_TEST}" if tags.is_of_best(headline) and metrics.selected_on_test(records) else ""
    )
    return f"{records[0]['study']}: {headline}{selected}{shared}"


def _several_headlines(records: Sequence[Record]) -> bool:
    return len({record["headline"] for record in records}) > 1


_BEST = {"higher": "highest", "lower": "lowest"}
_SMALL, _SMALL_SPREAD, _LARGE, _HUGE = 0.01, 5e-4, 1000.0, 1e5  # where numbers take another form
_ROUNDING = 1e-6  # of float32 scores: a smaller relative spread is none


def _caption(records: Sequence[Record], metric: Metric, *, starred: bool) -> str:
    counts = Counter(r["config"] for r in records if _values([r], metric.tag)).values()
    fewest, most = min(counts, default=0), max(counts, default=0)
    over = f"{most}" if fewest == most else f"{fewest} to {most}"
    mean = "geometric mean ± sd in decades" if metric.is_logarithmic else "mean ± sd"
    count = f"{mean} over {over} seeds" if most > 1 else "one seed" if most else "no value yet"
    if most > 1 and metric.is_logarithmic and not all(value > 0 for value in _values(records, metric.tag)):
        count += ", zeros left out"
    count += f" ({variation(records)})" if most > 1 else ""
    depth = "" if all(_blocks(record) is None for record in records) else " at its depth"
    star = f"; * best{depth} ({_BEST[metric.better]})" if starred and metric.better else ""
    star += " by more than a standard error" if star and most > 1 else ""
    return f"{count}{star}{_caption_of_flow(records)}"


def _flow(records: Sequence[Record]) -> str:
    """The gradient flow that is shown: the gain per layer, or where no configuration has one, first to last layer."""
    return tags.GAIN_PER_LAYER if _values(records, tags.GAIN_PER_LAYER) else tags.FIRST_TO_LAST


def _caption_of_flow(records: Sequence[Record]) -> str:
    flow = _flow(records)
    if not _values(records, flow):
        return ""
    where = "" if flow == records[0]["headline"] else "below: "
    if flow == tags.GAIN_PER_LAYER:
        return f"; {where}the gradient's gain per layer on its way to the input (under 1 it vanishes)"
    return f"; {where}gradient of the first hidden layer over that of the last (no two later layers have one shape)"


def _common_axes(records: Sequence[Record]) -> dict[str, Any]:
    """Axes other than activation and depth that have the same value in all configurations."""
    first, *others = (record["axes"] for record in records)
    return {
        axis: value
        for axis, value in first.items()
        if axis not in LEADING and all(axis in axes and axes[axis] == value for axes in others)
    }


def _blocks(record: Record) -> int | None:
    return record["blocks"]


def _values(records: Sequence[Record], tag: str) -> list[float]:
    values = [r["metrics"].get(tag) for r in records if r["state"] == State.FINISHED]
    return [value for value in values if value is not None]


def _best_row(
    cells: dict[tuple[str, Any], list[Record]], rows: Sequence[str], column: Any, table: MetricTable
) -> str | None:
    """The row with the best mean; None if there is none, or if it does not stand out from the next one."""
    compared = {row: records for row in rows if (records := cells.get((row, column)))}
    headlines = {records[0]["headline"] for records in compared.values()}
    metric = table[headlines.pop()] if len(headlines) == 1 else None
    if metric is None or metric.better is None:
        return None
    measured = {row: values for row, records in compared.items() if (values := _values(records, metric.tag))}
    means = {row: _mean_and_spread(values, metric)[0] for row, values in measured.items()}
    ranked = sorted(means, key=lambda row: means[row], reverse=metric.better == "higher")
    if len(ranked) < 2 or not _stands_out(measured[ranked[0]], measured[ranked[1]], metric):
        return None
    return ranked[0]


def _stands_out(values: Sequence[float], others: Sequence[float], metric: Metric) -> bool:
    """Whether two means differ as they are shown, and by more than the standard error of their difference."""
    shown = {_number([_mean_and_spread(side, metric)[0]], metric) for side in (values, others)}
    sides = [_comparable(side, metric) for side in (values, others)]
    if len(shown) == 1 or not all(sides):
        return len(shown) > 1
    (mean, sd), (other, other_sd) = map(mean_and_sd, sides)
    errors = [spread / math.sqrt(len(side)) for spread, side in zip((sd, other_sd), sides, strict=True)]
    return abs(mean - other) > math.hypot(*(error for error in errors if not math.isnan(error)))


def _comparable(values: Sequence[float], metric: Metric) -> list[float]:
    """What is averaged: the values, or the logarithms of those that have one."""
    return [math.log10(value) for value in values if value > 0] if metric.is_logarithmic else list(values)


def _mean_and_spread(values: Sequence[float], metric: Metric) -> tuple[float, float]:
    """Mean and sample standard deviation; for a metric averaged as log10, the geometric mean and decades."""
    averaged = _comparable(values, metric)
    if not averaged:
        return 0.0, math.nan
    mean, sd = mean_and_sd(averaged)
    return (10.0**mean, sd) if metric.is_logarithmic else (mean, sd)


def _cell(records: Sequence[Record], table: MetricTable, *, best: bool, flow: str) -> Text:
    headline = records[0]["headline"] if records else ""
    values = _values(records, headline)
    diverged = sum(r["state"] == State.DIVERGED for r in records)
    note = f"\n{diverged} diverged  " if diverged else ""
    if not values:
        return Text.assemble("-  ", (note, "red"))
    factors = [value for value in _values(records, flow) if value > 0 and flow != headline]
    below = f"\n\N{MULTIPLICATION SIGN}{_two_digits(_mean_and_spread(factors, table[flow])[0])}  " if factors else ""
    text = _number(values, table[headline]) + (" *" if best else "  ")
    return Text.assemble((text, "bold green" if best else ""), (below, "dim"), (note, "red"))


def _number(values: Sequence[float], metric: Metric) -> str:
    """`0.953 ± 0.004`, `4.7e-10 ± 1.2e-10`; `0.31 ± 0.11` (decades) for a metric averaged as log10."""
    mean, spread = _mean_and_spread(values, metric)
    if metric.is_logarithmic:
        shown, decimals = _two_digits(mean), 2
    else:
        spread = 0.0 if spread <= _ROUNDING * abs(mean) else spread
        decimals = 4 if 0 < abs(mean) < _SMALL or 0 < spread < _SMALL_SPREAD else 3
        shown = _fixed(mean, decimals)
    return shown if math.isnan(spread) else f"{shown} ± {_fixed(spread, decimals)}"


def _fixed(value: float, decimals: int) -> str:
    """With so many decimals; as a power of ten where they would show nothing of it, or where it is huge."""
    if value == 0 or 0.5 * 10.0**-decimals <= abs(value) < _HUGE:
        return f"{value:.{decimals}f}"
    return f"{value:.1e}"


def _two_digits(value: float) -> str:
    """`0.31`, `12`, `1.2e-04`."""
    if value != 0 and not _SMALL <= value < _LARGE:
        return f"{value:.1e}"
    return f"{value:.{max(0, 1 - math.floor(math.log10(value)))}f}" if value else "0"


def _trouble(record: Record) -> RenderableType:
    run = f"{record['config']}/{folders.seed_folder(record['seed'])}"
    said = ": ".join(filter(None, (record["state"], run, why(record))))
    return sentence(said, style="red" if record["state"] == State.FAILED else "yellow")
