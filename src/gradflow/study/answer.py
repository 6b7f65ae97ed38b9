"""What a study asks, and what its averages answer, in plain words: for the report, the terminal and the README."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gradflow.runs import tags
from gradflow.runs.metrics import Metric, MetricTable
from gradflow.runs.record import Record, State
from gradflow.runs.words import activation_words, axis_words, blocks_words, capital, count, listed, setting_words
from gradflow.study.configurations import identities
from gradflow.study.courses import Point, course, digits, point, shown, stays
from gradflow.study.treatments import ACTIVATION, compared

NO_ANSWER = "No run has finished yet."
MOST_NAMED = 4  # activations, and settings, that a sentence names one by one
_IN_ONE_RUN = "in one run"
_WITHOUT_ARTICLE = ("model.norm", "model.residual", "optimizer.weight_decay", "init")

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


def question(records: Sequence[Record]) -> str:
    """`Does the activation matter as the network gets deeper?`, or whatever else the study varies.

    Args:
        records: as for `answer`.
    """
    known = list(identities(records).values())
    names = list(dict.fromkeys(one["activation"] for one in known))
    depths = {one["blocks"] for one in known}
    others = _varied_settings(known)
    deeper = " as the network gets deeper" if len(depths) > 1 else ""
    if len(names) > 1:
        what = f"the {axis_words(compared(names))}"
        return f"Does {what} matter{deeper}{_with_settings(others)}?"
    who = activation_words(names[0])
    with_it = f"a network with {who}" if compared(names) == ACTIVATION else who
    if others:
        what = listed([_the(axis) for axis in others])
        to = f" to {with_it}" if compared(names) == ACTIVATION else ""
        it_deepens = " as it gets deeper" if to and deeper else deeper
        return f"{'Do' if len(others) > 1 or what.endswith('s') else 'Does'} {what} matter{to}{it_deepens}?"
    return f"What does depth do to {with_it}?" if deeper else f"How well does {with_it} do?"


def _the(axis: str) -> str:
    """`the learning rate`, but `normalisation`."""
    words = axis_words(axis)
    return words if axis in _WITHOUT_ARTICLE else f"the {words}"


def _varied_settings(known: Sequence[Mapping[str, str]]) -> dict[str, list[str]]:
    """The axes besides activation and depth that vary, with their settings such as `model.norm=none`."""
    settings = dict.fromkeys(part for one in known for part in one["variant"].split(", ") if "=" in part)
    axes: dict[str, list[str]] = {}
    for setting in settings:
        axes.setdefault(setting.partition("=")[0], []).append(setting)
    return axes


def _with_settings(others: Mapping[str, Sequence[str]]) -> str:
    """`, with and without normalisation`, `, at each learning rate`."""
    if not others:
        return ""
    if len(others) == 1:
        axis, settings = next(iter(others.items()))
        words = [setting_words(setting) for setting in settings]
        if axis == "model.norm" and len(words) > 1:
            return ", with and without normalisation" if f"{axis}=none" in settings else f", {listed(words)}"
    return f", whatever the {listed([axis_words(axis) for axis in others], last='or')}"


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
    lost = _diverged(records)
    if len(found) > MOST_NAMED:
        return (capital(f"{_extremes(_labelled(found), metric, noun='configurations')}."),)
    axes = _varied_settings(list(identities(records).values()))
    sentences = []
    for variant, curves in found.items():
        said = _curves(curves, lost.get(variant, {}), metric)
        sentences.append(f"{capital(f'{_under(variant, axes)}, {said}' if len(found) > 1 else said)}.")
    return tuple(sentences)


def _under(variant: str, axes: Iterable[str]) -> str:
    """`with batch normalisation`, `with learning rate 0.1`; of a variant that names nothing, what it leaves out."""
    words = setting_words(variant)
    if not words:
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


def _curves(curves: Curves, lost: Mapping[str, str], metric: Metric) -> str:
    """`ReLU stays at 98 to 99 % at every depth; sigmoid falls from 96 to 63 %`."""
    if len(curves) > MOST_NAMED:
        return _extremes(curves, metric, lost=lost)
    everything = [one for points in curves.values() for one in points]
    all_stay = all(stays(points, metric) for points in curves.values())
    if len(curves) > 1 and all_stay and stays(everything, metric) and not lost:
        both = listed([activation_words(name) for name in curves])
        return f"{both} {course(everything, metric).replace('stays', 'stay', 1)}"
    only_depth = len({one.blocks for one in everything}) == 1
    return "; ".join(
        _clause(name, course(points, metric, only_depth=only_depth) if points else "", lost.get(name, ""))
        for name, points in curves.items()
    )


def _clause(name: str, said: str, lost: str) -> str:
    who = activation_words(name)
    if not said:
        return f"{who} has no result ({lost or 'nothing has finished'})"
    return f"{who} {said}{f' ({lost})' if lost else ''}"


def _labelled(found: Mapping[str, Curves]) -> Curves:
    """Every activation in every setting, under a name that says both."""
    several = len({name for curves in found.values() for name in curves}) > 1
    return {
        ", ".join(filter(None, [activation_words(name) if several else "", setting_words(variant)]))
        or "default settings": points
        for variant, curves in found.items()
        for name, points in curves.items()
    }


def _extremes(
    curves: Curves, metric: Metric, *, noun: str = "activations", lost: Mapping[str, str] | None = None
) -> str:
    """Best, worst and range of many, at the depth that most of them have, the deepest of these."""
    by_depth: dict[int | None, dict[str, float]] = {}
    for name, points in curves.items():
        for one in points:
            by_depth.setdefault(one.blocks, {})[activation_words(name)] = one.mean
    most = max(map(len, by_depth.values()))
    full = sorted((depth for depth, means in by_depth.items() if len(means) == most), key=lambda depth: depth or 0)
    deepest, shallowest = by_depth[full[-1]], by_depth[full[0]]
    ranked = _ranked(deepest, metric)
    first, last = ranked[0], ranked[-1]
    best, worst = ([name for name in ranked if math.isclose(deepest[name], deepest[end])] for end in (first, last))
    at = "" if full[-1] is None else f" at {blocks_words(full[-1])}"
    ends = ("best", "worst") if metric.better else ("highest", "lowest")
    said = (
        f"of {most} {noun}, {_few(best)} {'are' if len(best) > 1 else 'is'} {ends[0]}{at} "
        f"({shown(deepest[first], metric)}) and {_few(worst)} {ends[1]} ({shown(deepest[last], metric)})"
    )
    if len(best) == most:
        said = f"all {most} {noun} reach {shown(deepest[first], metric)}{at}"
    if len(full) > 1 and full[0] is not None:
        low, high = sorted(shallowest.values())[0], sorted(shallowest.values())[-1]
        same = shown(low, metric) == shown(high, metric)
        lie = f"reach {shown(high, metric)}" if same else f"lie between {digits(low, metric)} and {shown(high, metric)}"
        said += f"; at {blocks_words(full[0])} all {lie}"
    diverged = [activation_words(name) for name in lost or {}]
    return f"{said} (runs diverged with {listed(diverged)})" if diverged else said


def _few(names: list[str]) -> str:
    return listed(names) if len(names) <= MOST_NAMED else f"{len(names)} of them"


def _ranked(means: Mapping[str, float], metric: Metric) -> list[str]:
    return sorted(means, key=lambda name: means[name], reverse=metric.better != "lower")


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
