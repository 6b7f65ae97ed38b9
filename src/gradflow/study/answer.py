"""What the averages of a study answer, in plain words: for the report, the terminal and the README."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradflow.runs import tags
from gradflow.runs.metrics import Metric, MetricTable
from gradflow.runs.record import Record, State
from gradflow.runs.words import activation_words, axis_words, blocks_words, capital, count, listed, setting_words
from gradflow.study.configurations import identities
from gradflow.study.courses import Point, alike, course, lacks_none, point, shown, span
from gradflow.study.question import is_switch, question, varied_settings

NO_ANSWER = "No run has finished yet."
MOST_NAMED = 4  # activations, and settings, that a sentence names one by one
_IN_ONE_RUN = "in one run"

Curves = dict[str, list[Point]]  # activation -> its means by depth


@dataclass(frozen=True)
class Answer:
    """Question and answer of a study.

    Attributes:
        question: what was varied, as a question.
        sentences: the answer, one sentence for each setting besides activation and depth; at least one.
        measured: the metric, over how many seeds, at which depths, as a clause.
    """

    question: str
    sentences: tuple[str, ...]
    measured: str


def answer(records: Sequence[Record]) -> Answer:
    """Question and answer of a study by its headline.

    Args:
        records: run.json of its runs, any state, as `gradflow.study.records` reads them.
    """
    metric = MetricTable.of(records).final(records[0]["headline"])
    means = _means(records, metric)
    found = {variant: curves for variant, curves in means.items() if any(curves.values())}
    first, *rest = _sentences(records, found, metric)
    by = f"{capital(_by(metric))}: " if found and not _is_accuracy(metric) else ""
    return Answer(question(records), (by + first, *rest), _measured(found, metric))


def _means(records: Sequence[Record], metric: Metric) -> dict[str, Curves]:
    """The means of every setting and activation by depth; an empty list where nothing has finished."""
    values: dict[str, list[float]] = {}
    for record in records:
        value = record["metrics"].get(metric.tag)
        if record["state"] == State.FINISHED and value is not None:
            values.setdefault(record["config"], []).append(value)
    means: dict[str, Curves] = {}
    for config, identity in identities(records).items():
        points = means.setdefault(identity["variant"], {}).setdefault(identity["activation"], [])
        if found := point(identity["blocks"], values.get(config, []), metric):
            points.append(found)
    return means


def _is_accuracy(metric: Metric) -> bool:
    """Whether a reader takes a percentage for this metric anyway."""
    return metric.is_fraction and metric.tag.rpartition("/")[2].startswith(tags.ACC)


def _by(metric: Metric) -> str:
    """`by test loss at the best epoch, of which less is better`."""
    return f"by {metric.words}{', of which less is better' if metric.better == 'lower' else ''}"


def _sentences(records: Sequence[Record], found: Mapping[str, Curves], metric: Metric) -> tuple[str, ...]:
    if not found:
        ended = [record for record in records if record["state"] == State.DIVERGED]
        return ("Every run that has ended diverged.",) if ended else (NO_ANSWER,)
    known = list(identities(records).values())
    lost = _diverged(records)
    if len(found) > MOST_NAMED:
        several = len({one["activation"] for one in known}) > 1
        curves, gone = (_by_configuration(of_variants, several=several) for of_variants in (found, lost))
        return (capital(f"{_extremes(curves, metric, noun='configurations', diverged=gone)}."),)
    axes = varied_settings(known)
    depths = {one["blocks"] for one in known} - {None}
    sentences = []
    for variant, curves in found.items():
        said = _curves(curves, lost.get(variant, {}), metric, depths=depths)
        sentences.append(f"{capital(f'{_under(variant, axes)}, {said}' if len(found) > 1 else said)}.")
    return tuple(sentences)


def _under(variant: str, axes: Mapping[str, Sequence[str]]) -> str:
    """`with batch normalisation`, `with learning rate 0.1`; of a variant that names nothing, what it leaves out."""
    if not (words := setting_words(variant)):
        settings = [setting for settings in axes.values() for setting in settings]
        if len(settings) == 1 and is_switch(settings[0]):
            axis, _, value = settings[0].partition("=")
            return setting_words(f"{axis}={value.lower() == 'false'}")
        return f"with the default {listed([axis_words(axis) for axis in axes])}"
    return words if words.startswith(("with ", "without ")) else f"with {words}"


def _diverged(records: Sequence[Record]) -> dict[str, dict[str, str]]:
    """Variant -> activation -> `3 of 8 runs diverged`, where any did."""
    runs: dict[tuple[str, str], list[Record]] = {}
    known = identities(records)
    for record in records:
        identity = known[record["config"]]
        runs.setdefault((identity["variant"], identity["activation"]), []).append(record)
    lost: dict[str, dict[str, str]] = {}
    for (variant, name), own in runs.items():
        if diverged := [run for run in own if run["state"] == State.DIVERGED]:
            lost.setdefault(variant, {})[name] = f"{len(diverged)} of {count(len(own), 'run')} diverged"
    return lost


def _curves(curves: Curves, lost: Mapping[str, str], metric: Metric, *, depths: Collection[int]) -> str:
    """`ReLU stays at 98 to 99 % at every depth; sigmoid falls from 96 to 63 %`."""
    if len(curves) > MOST_NAMED:
        return _extremes(curves, metric, diverged=lost)
    everything = [one for points in curves.values() for one in points]
    whole = all(len(points) > 1 and lacks_none(points, depths) for points in curves.values())
    if len(curves) > 1 and whole and alike(everything, metric) and not lost:
        both = listed([activation_words(name) for name in curves])
        return f"{both} {course(everything, metric).replace('stays', 'stay', 1)}"
    return "; ".join(_clause(name, points, lost.get(name, ""), metric, depths) for name, points in curves.items())


def _clause(name: str, points: Sequence[Point], lost: str, metric: Metric, depths: Collection[int]) -> str:
    """`ReLU falls from 96 to 90 % (1 and 2 blocks; 3 of 8 runs diverged)`."""
    who = activation_words(name)
    if not points:
        return f"{who} has no result ({lost or 'nothing has finished'})"
    is_short = len(points) > 1 and not lacks_none(points, depths)
    own = f"{listed([str(one.blocks) for one in points])} blocks" if is_short else ""
    notes = "; ".join(filter(None, [own, lost]))
    return f"{who} {course(points, metric, depths=depths)}{f' ({notes})' if notes else ''}"


def _by_configuration(of_variants: Mapping[str, Mapping[str, Any]], *, several: bool) -> dict[str, Any]:
    """What there is of every activation in every setting, under a name that says both."""
    return {
        ", ".join(filter(None, [activation_words(name) if several else "", setting_words(variant)]))
        or "default settings": found
        for variant, by_name in of_variants.items()
        for name, found in by_name.items()
    }


def _extremes(curves: Curves, metric: Metric, *, diverged: Collection[str], noun: str = "activations") -> str:
    """Best, worst and range of many, at the depth that most of them have, the deepest of these."""
    by_depth: dict[int | None, dict[str, Point]] = {}
    for name, points in curves.items():
        for one in points:
            by_depth.setdefault(one.blocks, {})[activation_words(name)] = one
    most = max(map(len, by_depth.values()))
    full = sorted((depth for depth, means in by_depth.items() if len(means) == most), key=lambda depth: depth or 0)
    deepest, shallowest = by_depth[full[-1]], by_depth[full[0]]
    at = "" if full[-1] is None else f" at {blocks_words(full[-1])}"
    if alike(list(deepest.values()), metric):
        said = f"all {most} {noun} reach {span(list(deepest.values()), metric)}{at}"
    else:
        first, last = _ranked(deepest, metric)[0], _ranked(deepest, metric)[-1]
        ends = ("best", "worst") if metric.better else ("highest", "lowest")
        said = (
            f"of {most} {noun}, {first} is {ends[0]}{at} ({shown(deepest[first].mean, metric)}) and {last} {ends[1]} "
            f"({shown(deepest[last].mean, metric)})"
        )
    if len(full) > 1 and full[0] is not None:
        said += f"; at {blocks_words(full[0])} all reach {span(list(shallowest.values()), metric)}"
    if not diverged:
        return said
    who = list(map(activation_words, diverged)) if len(diverged) <= MOST_NAMED else [f"{len(diverged)} of the {noun}"]
    return f"{said} (runs diverged with {listed(who)})"


def _ranked(means: Mapping[str, Point], metric: Metric) -> list[str]:
    return sorted(means, key=lambda name: means[name].mean, reverse=metric.better != "lower")


def _measured(found: Mapping[str, Curves], metric: Metric) -> str:
    """`test accuracy at the best epoch, mean of 8 seeds, 1 to 8 blocks`."""
    points = [one for curves in found.values() for own in curves.values() for one in own]
    if not points:
        return metric.with_unit
    sizes = sorted({one.n for one in points})
    depths = sorted({one.blocks for one in points if one.blocks is not None})
    mean = "geometric mean" if metric.is_logarithmic else "mean"
    seeds = f"{sizes[0]} to {sizes[-1]} seeds" if len(sizes) > 1 else count(sizes[0], "seed")
    alone = _IN_ONE_RUN if len(points) == 1 else f"{_IN_ONE_RUN} each"
    over = alone if sizes == [1] else f"{mean} of {seeds}"
    ranges = [f"{depths[0]} to {blocks_words(depths[-1])}"] if len(depths) > 1 else []
    unit = metric.words if metric.is_fraction else metric.with_unit
    return ", ".join([unit, over, *ranges])
