"""What the runs of a study have reached against depth, as runs of TensorBoard whose step is the number of blocks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gradflow.runs import folders, tags
from gradflow.runs.metrics import MetricTable
from gradflow.runs.record import Record, State
from gradflow.runs.words import blocks_words, capital, setting_words
from gradflow.study import answering_tags
from gradflow.study.averaged_runs import LOWER, MEAN, SUMMARY, UPPER, Averages, Rows, add, digest_of, is_fresh, write
from gradflow.study.captions import covers
from gradflow.study.configurations import identities
from gradflow.study.margin_charts import MarginChart, add_bands, pairs, place_of
from gradflow.study.statistics import summary

GROUP = "by depth"  # of tags
DIVERGED = "diverged runs"


@dataclass(frozen=True)
class AgainstDepth:
    """One activation, in one variant of the study: its averages by number of blocks.

    Attributes:
        name: of its folder.
        cards: the tags of its averages, the most telling first.
        described: what each tag is, and how many runs diverged.
    """

    name: str
    activation: str
    variant: str
    cards: list[str]
    averages: Averages
    described: Mapping[str, str]


def against_depth(records: Sequence[Record]) -> list[AgainstDepth]:
    """Headline, gradient flow and dead units of the finished runs of every activation; none without several depths.

    Args:
        records: run.json of the runs of one study, any state.
    """
    identity = identities(records)
    if len({one["blocks"] for one in identity.values() if one["blocks"] is not None}) < 2:
        return []
    members: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        if record["blocks"] is not None:
            one = identity[record["config"]]
            members.setdefault((one["activation"], one["variant"]), []).append(record)
    table, sentence = MetricTable.of(records), covers(records)
    some_diverged = any(record["state"] == State.DIVERGED for record in records)
    found = []
    for (activation, variant), runs in members.items():
        averages = _averages(runs, table, variant)
        wanted = answering_tags.at_the_end(runs[0]["headline"])
        words = {_tag(metric, table, variant): table.final(metric).words for metric in wanted}
        present = [tag for tag in words if any(tag in row for row in averages[MEAN].values())]
        if some_diverged:
            _count_diverged(runs, averages[MEAN], variant)
        described = {tag: _described(words[tag], runs, sentence) for tag in present}
        found.append(AgainstDepth(_name(runs[0]["axes"]), activation, variant, present, averages, described))
    return found


def write_against_depth(place: Path, records: Sequence[Record]) -> dict[str, list[MarginChart]]:
    """Write them to `summary/<activation>/`, and remove those of former activations.

    Args:
        place: the study's folder, or what stands in for it; the caller holds it.
        records: as above.

    Returns:
        The margin charts that each could take part in, by its folder's path within `place`.
    """
    members = against_depth(records)
    places = {one.name: (place_of(records, GROUP, variant=one.variant), one.activation) for one in members}
    paired = pairs(places)
    charts: dict[str, list[MarginChart]] = {}
    for one in members:
        for tag in one.cards:
            words = tag.removeprefix(f"{GROUP}/").removeprefix(_beginning(one.variant))  # which the place names
            own = [MarginChart(place=places[one.name][0], words=words, pair=pair) for pair in paired[one.name]]
            add_bands(one.averages, tag, own)
            charts.setdefault(f"{SUMMARY}/{one.name}", []).extend(own)
        folder, digest = place / SUMMARY / one.name, digest_of([one.averages, one.described])
        if not is_fresh(folder, digest):
            write(folder, one.averages, described=one.described, digest=digest)
    for folder in (place / SUMMARY).glob("*/"):
        if folder.name not in places:
            write(folder, {}, described={}, digest="")
            if not any(folder.iterdir()):
                folder.rmdir()
    return charts


def _tag(metric: str, table: MetricTable, variant: str) -> str:
    """The tag of a final metric by depth: in words, so that a filter for its curve does not find it.

    They are few enough for a card's title; which epoch's value it is, the description says. Each variant has a card of
    its own, for colours tell the activations apart.
    """
    return _named(table[tags.of_last_epoch(metric)].words, variant)


def _named(words: str, variant: str) -> str:
    """The variant first: of a long title, a card shows the beginning of the last part."""
    return f"{GROUP}/{_beginning(variant)}{words}"


def _beginning(variant: str) -> str:
    return f"{setting_words(variant)}: " if variant else ""


def _averages(runs: Sequence[Record], table: MetricTable, variant: str) -> Averages:
    """Mean and interval of the finished runs at each depth, as the report has them."""
    averages: Averages = {MEAN: {}, LOWER: {}, UPPER: {}}
    present = {tag for run in runs for tag, value in run["metrics"].items() if value is not None}
    for tag in answering_tags.among(answering_tags.at_the_end(runs[0]["headline"]), present):
        metric = table[tag]
        for blocks, here in _by_depth(runs):
            finished = [run for run in here if run["state"] == State.FINISHED]
            values = [value for run in finished if (value := run["metrics"].get(tag)) is not None]
            kept = [value for value in values if value > 0 or not metric.is_logarithmic]
            if kept:
                one = summary(kept, log10=metric.is_logarithmic, within=metric.limits)
                for kind, value in ((MEAN, one.mean), (LOWER, one.low), (UPPER, one.high)):
                    add(averages[kind], _tag(tag, table, variant), np.array([blocks]), np.array([value]))
    return averages


def _by_depth(runs: Sequence[Record]) -> list[tuple[int, list[Record]]]:
    depths = sorted({run["blocks"] for run in runs if run["blocks"] is not None})
    return [(blocks, [run for run in runs if run["blocks"] == blocks]) for blocks in depths]


def _count_diverged(runs: Sequence[Record], rows: Rows, variant: str) -> None:
    for blocks, here in _by_depth(runs):
        rows.setdefault(blocks, {})[_named(DIVERGED, variant)] = float(
            sum(run["state"] == State.DIVERGED for run in here)
        )


def _described(words: str, runs: Sequence[Record], covered: str) -> str:
    states = [(blocks, [run["state"] for run in here]) for blocks, here in _by_depth(runs)]
    counted = [(blocks, found.count(State.DIVERGED), len(found)) for blocks, found in states]
    diverged = [f"{count} of {number} at {blocks_words(blocks)}" for blocks, count, number in counted if count]
    left_out = f"Diverged, and in no mean: {', '.join(diverged)}." if diverged else ""
    said = f"{capital(words)}: mean over the finished runs at each depth; the step is the number of blocks."
    return " ".join(filter(None, [said, covered, left_out]))


def _name(axes: Mapping[str, Any]) -> str:
    """Of the folder: that of the configurations without their depth."""
    shown = {axis: value for axis, value in axes.items() if axis != "blocks"}
    axis, is_treatment, value = str(shown["activation"]).partition("=")
    if is_treatment:  # `module.hidden=32` stands in activation's place
        shown = {axis: value} | {key: one for key, one in shown.items() if key != "activation"}
    return folders.config_name(shown)
