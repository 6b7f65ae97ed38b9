"""The average of every curve over the seeds, and of what was reached against depth, for TensorBoard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gradflow.runs import integrity
from gradflow.runs.events import Curve
from gradflow.runs.metrics import MetricTable
from gradflow.runs.record import Record, State
from gradflow.runs.words import blocks_words
from gradflow.study import answering_tags, averaged_runs
from gradflow.study.against_depth import write_against_depth
from gradflow.study.averaged_runs import MEAN, SUMMARY, Averages, digest_of
from gradflow.study.captions import covers
from gradflow.study.configurations import identities
from gradflow.study.margin_charts import MarginChart, add_bands, pairs, place_of, write_page
from gradflow.study.output import writing_to
from gradflow.study.records import run_folder, whole_curves
from gradflow.study.statistics import band

FORM = 1  # of what is written: averages of another form are stale


def align(runs: Sequence[Curve]) -> tuple[np.ndarray, np.ndarray]:
    """Align curves of different lengths on the union of their steps.

    Returns:
        Steps, shape (S,), and values, shape (runs, S), NaN where a run has no value at a step.
    """
    steps = np.unique(np.concatenate([run.steps for run in runs]))
    values = np.full((len(runs), len(steps)), np.nan)
    for row, run in zip(values, runs, strict=True):
        row[np.searchsorted(steps, run.steps)] = run.values
    return steps, values


def average_study(
    study: Path, records: Sequence[Record], *, output: Path | None = None, stale_only: bool = False
) -> list[Path]:
    """Average the finished runs of every configuration, replacing the averages of an earlier call.

    A run whose curves are not whole is left out, which is said.

    Args:
        study: the study's folder.
        records: run.json of its runs.
        output: the folder to write to, if not the study's.
        stale_only: whether to leave averages alone that are of these very runs, whose curves are then not read.

    Returns:
        The folders of the means, one per configuration with runs to average.

    Raises:
        ConfigError: if the folder may not be written to.
    """
    place, table = output or study, MetricTable.of(records)
    means = []
    configurations = _configurations(study, records)
    for one in configurations:
        if not (stale_only and averaged_runs.is_fresh(place / one.name, one.digest)):
            whole = [found for record in one.runs if (found := whole_curves(study, record)) is not None]
            if not whole:
                continue
            averages = _averages(whole, table)
            for tag in answering_tags.of_training(one.headline):
                add_bands(averages, tag, one.charts(tag, table))
            said = one.described(len(whole))
            described = {tag: said for run in whole for tag in run} if said else {}
            with writing_to(place):
                averaged_runs.write(place / one.name, averages, described=described, digest=one.digest)
        means.append(place / one.name / MEAN)
    with writing_to(place):
        charts = write_against_depth(place, records) | {one.name: one.possible_charts(table) for one in configurations}
        write_page(place / SUMMARY, {place / name: own for name, own in charts.items()})
    return means


@dataclass(frozen=True)
class _Configuration:
    """The finished runs of a configuration, and the margin charts that it takes part in.

    Attributes:
        name: of its folder.
        runs: by seed.
        place: the charts' category.
        pairs: the activations that are compared there with its own.
        covered: what intervals cover.
        whole: of each run, whether no event file of it is missing or short.
    """

    name: str
    runs: Sequence[Record]
    place: str
    pairs: Sequence[str]
    covered: str
    whole: Sequence[bool]

    @property
    def headline(self) -> str:
        return self.runs[0]["headline"]

    @property
    def digest(self) -> str:
        """Changes with anything that its averages depend on."""
        runs = [(run["seed"], run["finished"], run["events"]) for run in self.runs]
        said = self.described(len(self.runs))
        return digest_of([FORM, runs, self.whole, self.headline, self.place, self.pairs, said])

    def charts(self, tag: str, table: MetricTable) -> list[MarginChart]:
        return [MarginChart(place=self.place, words=table[tag].words, pair=pair) for pair in self.pairs]

    def possible_charts(self, table: MetricTable) -> list[MarginChart]:
        return [chart for tag in answering_tags.of_training(self.headline) for chart in self.charts(tag, table)]

    def described(self, seeds: int) -> str:
        return f"Mean over {seeds} seeds. {self.covered}" if seeds > 1 else ""


def _configurations(study: Path, records: Sequence[Record]) -> list[_Configuration]:
    """The configurations that have finished runs."""
    by_config: dict[str, list[Record]] = {}
    for record in records:
        if record["state"] == State.FINISHED:
            by_config.setdefault(record["config"], []).append(record)
    identity = identities(records)
    depths = {name: identity[name]["blocks"] for name in by_config}
    places = {
        name: place_of(records, "" if blocks is None else blocks_words(blocks), variant=identity[name]["variant"])
        for name, blocks in depths.items()
    }
    paired = pairs({name: (place, identity[name]["activation"]) for name, place in places.items()})
    return [
        _Configuration(
            name=name,
            runs=found,
            place=places[name],
            pairs=paired[name],
            covered=covers(records),
            whole=[integrity.missing_curves(run_folder(study, run), run) is None for run in found],
        )
        for name, found in by_config.items()
    ]


def _averages(runs: Sequence[Mapping[str, Curve]], table: MetricTable) -> Averages:
    """The mean and its bounds for every tag at every step."""
    averages: Averages = {}
    for tag in sorted({tag for run in runs for tag in run}):
        steps, values = align([run[tag] for run in runs if tag in run])
        metric = table[tag]
        averaged = band(values, log10=metric.is_logarithmic, within=metric.limits)
        averaged_runs.add_band(averages, tag, steps, averaged, whole=len(runs))
    return averages
