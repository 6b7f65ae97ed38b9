"""How well a configuration would do with new images and new seeds, from the answers that its runs have kept."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from gradflow.errors import ConfigError
from gradflow.figures.table import Table
from gradflow.runs import folders
from gradflow.runs.metrics import NO_NUMBER, Metric, MetricTable
from gradflow.runs.record import Record, State
from gradflow.runs.samples import TEST, read_samples
from gradflow.runs.words import activation_words, axis_words
from gradflow.study.bootstrap import NONE, Answers, Interval, difference, new_images_and_seeds
from gradflow.study.captions import NEW_IMAGES
from gradflow.study.comparison.claims import Comparison
from gradflow.study.comparison.verdict import at, norm_words
from gradflow.study.configurations import finished
from gradflow.study.treatments import compared

log = logging.getLogger(__name__)

HEADER = f"95 % {NEW_IMAGES}"
WHAT_IT_COVERS = (
    f"Those {NEW_IMAGES} also count that other test images of the same kind would have given another accuracy."
)

AnswersOfRuns = Mapping[tuple[str, int], Answers]  # by configuration and seed


def answers_of(study: Path, records: Sequence[Record], metric: str) -> AnswersOfRuns:
    """The answers of every finished run that has kept those behind this metric; none where it is no test accuracy."""
    found = {}
    for record in records:
        if record["state"] != State.FINISHED:
            continue
        try:
            samples = read_samples(study / record["config"] / folders.seed_folder(record["seed"]))
        except ConfigError as error:
            log.warning("left out: %s", error)
            continue
        if samples is not None and metric in samples.correct:
            found[record["config"], record["seed"]] = Answers(samples.rows(TEST), samples.correct[metric])
    return found


def intervals(answers: AnswersOfRuns, records: Sequence[Record], metric: Metric) -> dict[str, Interval]:
    """By configuration; only those of which every finished run has kept its answers."""
    found = {}
    for config in dict.fromkeys(config for config, _ in answers):
        seeds = [run["seed"] for run in finished(records, config)]
        if all((config, seed) in answers for seed in seeds):
            found[config] = new_images_and_seeds([answers[config, seed] for seed in seeds], within=metric.limits)
    return found


def differences_table(comparisons: Sequence[Comparison], answers: AnswersOfRuns, table: MetricTable) -> Table:
    """Each activation minus the baseline, paired by seed and by image; empty where no pair has kept its answers."""
    rows = []
    for one in comparisons:
        if one.differences is None or one.n < 2:
            continue
        sides = [one.configs[name] for name in (one.activation, one.baseline)]
        pairs = [tuple(answers.get((side[seed], seed)) for side in sides) for seed in one.seeds]
        whole = [difference(ours, theirs) for ours, theirs in pairs if ours is not None and theirs is not None]
        interval = new_images_and_seeds(whole, within=(-1.0, 1.0)) if len(whole) == one.n else NONE
        seeds = Interval(one.differences.low, one.differences.high)
        rows.append(
            [
                activation_words(one.activation),
                _at(one),
                str(one.n),
                _points(one.differences.mean),
                as_text(seeds),
                as_text(interval),
            ]
        )
    if all(row[-1] == NO_NUMBER for row in rows):
        return Table(caption="", headers=[], rows=[])
    first = comparisons[0]
    baseline = activation_words(first.baseline)
    caption = (
        f"Difference from {baseline} in {table.final(first.metric).words}, in points, paired by seed and by image."
    )
    headers = [
        axis_words(compared(one.activation for one in comparisons)),
        "at",
        "seeds",
        f"mean minus {baseline}",
        "95 % interval",
        HEADER,
    ]
    return Table(caption=caption, headers=headers, rows=rows)


def _at(one: Comparison) -> str:
    """`4 blocks, with batch normalisation`."""
    return ", ".join(filter(None, [at(one).removeprefix("at "), norm_words(one)]))


def as_text(interval: Interval, *, signed: bool = True) -> str:
    """Bounds of a fraction in per cent, with two decimals; a dash where there is none."""
    if interval.low != interval.low:  # NaN
        return NO_NUMBER
    return ", ".join(_points(bound) if signed else f"{100 * bound:.2f}" for bound in interval)


def _points(fraction: float) -> str:
    return f"{100 * fraction:+.2f}"
