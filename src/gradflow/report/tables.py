"""The tables of a report: what is averaged, every seed's value, the change with depth."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from gradflow.figures.marks import depth_text, several_seeds
from gradflow.figures.table import Table, without_column
from gradflow.report.final_metrics import reported
from gradflow.report.frames import Frames
from gradflow.report.new_images import HEADER, as_text
from gradflow.runs import tags
from gradflow.runs.metrics import NO_NUMBER, Metric, MetricTable, selected_on_test
from gradflow.runs.record import Record
from gradflow.runs.words import activation_words, axis_words, capital, layer_words, setting_words
from gradflow.study.bootstrap import NONE, Interval
from gradflow.study.configurations import KEYS, groups
from gradflow.study.treatments import ACTIVATION, compared

_BLOCKS, _SETTING, _DEFAULTS = "hidden blocks", "setting", "default settings"
_TAGS = {_BLOCKS: "blocks"}


def long_table(frames: Frames, records: Sequence[Record]) -> pd.DataFrame:
    """One row per configuration and metric: n, mean, sd, low, high, then a column per seed; full precision.

    Gradient magnitudes are averaged as log10: mean and bounds are in their unit, `sd` is in decades.
    """
    averaged = frames.final.drop(columns="seeds")
    by_seed = frames.seeds.pivot_table(index=["config", "metric"], columns="seed", values="value", sort=True)
    by_seed.columns = [f"seed={seed}" for seed in by_seed.columns]
    joined = averaged.merge(by_seed.reset_index(), on=["config", "metric"], how="left")
    joined.insert(len(KEYS), "selected_on", "test" if selected_on_test(records) else "validation")
    return joined


def headline_table(
    frames: Frames, records: Sequence[Record], *, new_images: Mapping[str, Interval] | None = None
) -> Table:
    """The headline metric of every configuration, with every seed's value.

    Args:
        frames: of the study.
        records: run.json of its runs.
        new_images: configuration -> the interval for new images and new seeds; an empty one adds no column.
    """
    metric = records[0]["headline"]
    shown = frames.table.final(metric)
    final = frames.final[frames.final["metric"] == metric]
    seeds = frames.seeds[frames.seeds["metric"] == metric]
    several = several_seeds(final)
    varied, heads = _axes(frames)
    rows = []
    for row in final.to_dict("records"):
        values = seeds.loc[seeds["config"] == row["config"], ["seed", "value"]].itertuples(index=False)
        each = ", ".join(f"{seed}: {shown.number(value)}" for seed, value in values)
        mean, *spread = _estimate(row, shown)
        also = [as_text((new_images or {}).get(row["config"], NONE), signed=False)]
        rows.append([*_names(row, varied), *([str(row["n"]), mean, *spread] if several else [mean]), *also, each])
    columns = [*(["seeds", "mean", "sd", "95 % interval"] if several else [shown.words]), HEADER, "each seed"]
    table = Table(f"{capital(shown.with_unit)}.", [*heads, *columns], rows, {**_TAGS, shown.words: metric})
    table = table if several else without_column(table, len(table.headers) - 1)
    column = table.headers.index(HEADER)
    return table if any(row[column] != NO_NUMBER for row in rows) else without_column(table, column)


def metrics_table(frames: Frames, records: Sequence[Record]) -> Table:
    """The main other metrics of every configuration, mean and interval; the CSV file has all of them."""
    tags = [tag for tag in reported(records, frames.table) if _is_column(tag, records, frames.table)]
    labels = {tag: frames.table.final(tag) for tag in tags}
    varied, heads = _axes(frames)
    rows = []
    for _, part in groups(frames.final, ["config"]):
        by_metric = {row["metric"]: row for row in part.to_dict("records")}
        cells = [_cell(by_metric[tag], labels[tag]) if tag in by_metric else NO_NUMBER for tag in tags]
        rows.append([*_names(part.iloc[0].to_dict(), varied), *cells])
    several = several_seeds(frames.final)
    mean = "Mean [95 % interval] of the" if several else "The"
    caption = f"{mean} other measurements{_geometric(tags, frames.table) if several else ''}."
    columns = {labels[tag].with_unit: tag for tag in tags}
    return Table(caption, [*heads, *(labels[tag].with_unit for tag in tags)], rows, {**_TAGS, **columns})


def _is_column(tag: str, records: Sequence[Record], table: MetricTable) -> bool:
    row = table.row(tag)
    is_main = row is not None and row.shown == "table" and not row.is_by_layer
    return tag != records[0]["headline"] and is_main


def layers_table(frames: Frames, records: Sequence[Record]) -> Table:
    """What monitors outside the package have measured for each layer, mean and interval; empty without them."""
    rows_of = {
        tag: row for tag in reported(records, frames.table) if (row := frames.table.row(tag)) and row.is_by_layer
    }
    quantities = list(dict.fromkeys(row.tag for row in rows_of.values()))
    labels = {quantity: frames.table.final(quantity) for quantity in quantities}
    final = frames.final[frames.final["metric"].isin(list(rows_of))]
    final = final.assign(layer=[tag.removeprefix(rows_of[tag].tag) for tag in final["metric"]])
    varied, heads = _axes(frames)
    rows = []
    for _, part in groups(final, ["config", "layer"]):
        first = part.iloc[0].to_dict()
        found = {rows_of[row["metric"]].tag: row for row in part.to_dict("records")}
        cells = [_cell(found[one], labels[one]) if one in found else NO_NUMBER for one in quantities]
        rows.append([*_names(first, varied), layer_words(first["layer"]), *cells])
    several = several_seeds(final)
    mean = ": mean [95 % interval]" if several else ""
    caption = f"By layer{mean}{_geometric(quantities, frames.table) if several else ''}."
    columns = {labels[one].with_unit: one.rstrip("/") for one in quantities}
    headers = [*heads, "layer", *(labels[one].with_unit for one in quantities)]
    return Table(caption, headers, rows, {**_TAGS, **columns})


def _geometric(tags: Sequence[str], table: MetricTable) -> str:
    """Which columns are geometric means."""
    words = dict.fromkeys(table[tag].words for tag in tags if table[tag].is_logarithmic)
    return f" (geometric mean of {', '.join(words)})" if words else ""


def depth_table(frames: Frames, records: Sequence[Record]) -> Table:
    """Scores and mean gradient of each activation by depth, mean and interval; empty without two depths."""
    if frames.final["blocks"].nunique() < 2:
        return Table(caption="", headers=[], rows=[])
    present = set(frames.final["metric"])
    shown = [tag for tag in (records[0]["headline"], tags.GRAD_ABS_MEAN_ALL_STEPS) if tag in present]
    labels = {tag: frames.table.final(tag) for tag in shown}
    activations = list(dict.fromkeys(frames.final["activation"]))
    columns = [(activation, tag) for tag in shown for activation in activations]
    rows = []
    for keys, part in groups(frames.final.sort_values(["variant", "blocks"], kind="stable"), ["variant", "blocks"]):
        found = {(row["activation"], row["metric"]): row for row in part.to_dict("records")}
        cells = [_cell(found[column], labels[column[1]]) if column in found else NO_NUMBER for column in columns]
        rows.append([depth_text(keys["blocks"]), setting_words(keys["variant"]) or _DEFAULTS, *cells])
    named = {f"{activation_words(name)}: {labels[tag].with_unit}": tag for name, tag in columns}
    headers = [_BLOCKS, _SETTING, *named]
    mean = "mean [95 % interval] of " if several_seeds(frames.final) else ""
    caption = f"By depth: {mean}score and mean gradient."
    table = Table(caption, headers, rows, {**_TAGS, **named})
    return table if _varies(frames) else without_column(table, 1)


def change_table(frames: Frames, records: Sequence[Record]) -> Table:
    """The headline's mean from the shallowest to the deepest network of each activation; empty without two depths."""
    metric = records[0]["headline"]
    shown = frames.table.final(metric)
    final = frames.final[(frames.final["metric"] == metric) & frames.final["blocks"].notna()]
    rows = []
    for keys, part in groups(final, ["activation", "variant"]):
        ordered = part.sort_values("blocks")
        first, last = ordered.iloc[0], ordered.iloc[-1]
        if first["blocks"] < last["blocks"]:
            change = last["mean"] - first["mean"]
            share = f"{100 * change / first['mean']:+.1f}" if first["mean"] > 0 else NO_NUMBER
            depths = f"{depth_text(first['blocks'])} → {depth_text(last['blocks'])}"
            means = f"{shown.number(first['mean'])} → {shown.number(last['mean'])}"
            points = f"{100 * change:+.2f}" if shown.is_fraction else f"{change:+.4g}"
            who, setting = _names(keys, ["activation", "variant"])
            rows.append([who, setting, depths, means, points, share])
    headers = [
        axis_words(compared(final["activation"])),
        _SETTING,
        _BLOCKS,
        "mean",
        "change (points)",
        "change (% of the shallowest)",
    ]
    if not shown.is_fraction:
        headers[4] = "change"
    table = Table(f"Change with depth: {shown.with_unit}.", headers, rows, _TAGS)
    return table if _varies(frames) else without_column(table, 1)


def _axes(frames: Frames) -> tuple[list[str], list[str]]:
    """The columns that tell configurations apart, and their headers."""
    heads = {"activation": axis_words(compared(frames.final["activation"]))}
    heads |= {"blocks": _BLOCKS} if frames.final["blocks"].notna().any() else {}
    heads |= {"variant": _SETTING} if _varies(frames) else {}
    return list(heads), list(heads.values())


def _varies(frames: Frames) -> bool:
    """Whether more than activation and depth tells configurations apart."""
    return bool(frames.final["variant"].astype(bool).any())


def _names(row: Mapping[str, Any], varied: Sequence[str]) -> list[str]:
    return [_name(key, row[key]) for key in varied]


def _name(key: str, value: Any) -> str:
    if key == "blocks":
        return depth_text(value)
    if key == "variant":
        return setting_words(str(value)) or _DEFAULTS
    name = str(value)
    return name.partition("=")[2] if compared([name]) != ACTIVATION else activation_words(name)


def _estimate(row: Mapping[str, Any], shown: Metric) -> list[str]:
    """Mean, standard deviation, interval."""
    interval = NO_NUMBER if pd.isna(row["low"]) else f"{shown.number(row['low'])}, {shown.number(row['high'])}"
    return [shown.number(row["mean"]), shown.number(row["sd"]), interval]


def _cell(row: Mapping[str, Any], shown: Metric) -> str:
    mean, _, interval = _estimate(row, shown)
    return mean if interval == NO_NUMBER else f"{mean} [{interval}]"
