"""Every activation of a study against a baseline, at every depth: differences paired by seed, and what they show."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradflow.runs.metrics import Metric, MetricTable, selected_on_test
from gradflow.runs.record import Record, State
from gradflow.runs.states import state_shown
from gradflow.runs.tags import is_of_best, test, val
from gradflow.study.comparison import evidence
from gradflow.study.comparison.cells import Cell, cells_of
from gradflow.study.comparison.claims import NORM, Comparison, Gap
from gradflow.study.comparison.families import decide, normalisations
from gradflow.study.comparison.tuning import Tuning
from gradflow.study.comparison.verdict import verdict
from gradflow.study.configurations import activations, group_key, identities, spelled_default
from gradflow.study.statistics import summary

BASELINE = "relu"
FLOAT32_ROUNDING = 2.0**-23  # of a difference of two float32 scores, relative to the larger one


def compare(
    records: Sequence[Record],
    *,
    baseline: str | None = None,
    metric: str | None = None,
    tuning: Tuning | None = None,
    alpha: float = evidence.ALPHA,
) -> list[Comparison]:
    """The comparisons of one metric in one study, each Holm-corrected together with the others of its family.

    A family is all comparisons of the study with one value of `model.norm`. Its size is fixed by the grid, not by how
    runs ended: a comparison without a p value counts as p = 1. Where a metric is not defined (a slope over layers with
    a single layer) there is no comparison.

    Args:
        records: run.json of the runs of one study, any state.
        baseline: an activation of `activations(records)`; `relu` by default, or the first if the study has none.
        metric: a key of `metrics`; the study's headline by default. What is averaged as log10 is compared as log10.
        tuning: what `tune` returned for these records; then its test runs are compared.
        alpha: probability of one or more false claims in the family.

    Raises:
        ValueError: if there are no runs, the baseline is not in the study, no finished run has the metric, or there
            are several headlines to choose from.
    """
    if not records:
        raise ValueError("no runs to compare")
    metric = metric or _headline(records)
    present = activations(records)
    if baseline is not None and baseline not in present:
        raise ValueError(f"baseline={baseline}: the study has {', '.join(present)}")
    baseline = baseline or (BASELINE if BASELINE in present else present[0])
    _check_metric(records, metric)
    known = identities(records)
    variants = list(dict.fromkeys(identity["variant"] for identity in known.values()))
    ordered = sorted(
        tuning.records if tuning else records, key=lambda record: variants.index(known[record["config"]]["variant"])
    )
    cells = cells_of(ordered, tuning.choices if tuning else ())
    drafts = _drafts(cells, baseline, MetricTable.of(records)[metric], normalisations(records))
    drafts = _with_what_varies(drafts, cells.values(), records)
    return [replace(draft, verdict=verdict(draft)) for draft in decide(drafts, alpha=alpha)]


def _drafts(
    cells: Mapping[tuple[str, str], Cell], baseline: str, metric: Metric, norm: Callable[[Mapping[str, Any]], str]
) -> list[Comparison]:
    """Every comparison that the metric allows, before Holm's correction."""
    drafts = []
    for cell in cells.values():
        base = cells.get((baseline, group_key(cell.group)))
        if cell.activation != baseline and cell.defines(metric.tag) and (base is None or base.defines(metric.tag)):
            draft = _compare(cell, base, baseline=baseline, metric=metric)
            drafts.append(replace(draft, norm=norm(cell.group)))
    return drafts


def _headline(records: Sequence[Record]) -> str:
    headlines = sorted({record["headline"] for record in records})
    if len(headlines) != 1:
        raise ValueError(
            f"the study's runs have different headlines ({', '.join(headlines)}): name one metric, such as "
            f"--metric {headlines[0]}"
        )
    return headlines[0]


def _check_metric(records: Sequence[Record], metric: str) -> None:
    finished = [record for record in records if record["state"] == State.FINISHED]
    if finished and not any(metric in record["metrics"] for record in finished):
        some = ", ".join(tag for tag in finished[0]["metrics"] if tag.startswith((test(""), val(""))))
        raise ValueError(f"metric={metric}: no finished run has it; they have {some} and more")


def _compare(cell: Cell, base: Cell | None, *, baseline: str, metric: Metric) -> Comparison:
    """One comparison, before Holm's correction."""
    sides = [cell, base] if base else [cell]
    draft = Comparison(
        metric=metric.tag,
        words=f"share of {metric.words}" if metric.is_fraction and metric.better != "higher" else metric.words,
        better=metric.better,
        in_decades=metric.is_logarithmic,
        activation=cell.activation,
        baseline=baseline,
        group=cell.group,
        gap=Gap.NO_BASELINE,
        lrs={side.activation: next((r["lr"] for r in side.runs.values() if r["lr"]), None) for side in sides},
        choices={side.activation: side.choice for side in sides if side.choice},
        configs={side.activation: {seed: run["config"] for seed, run in side.runs.items()} for side in sides},
        selected_on_test=(is_of_best(metric.tag) or any(side.choice for side in sides))
        and selected_on_test([run for side in sides for run in side.runs.values()]),
    )
    if base is None:
        return draft
    values, base_values = cell.values(metric), base.values(metric)
    seeds = tuple(sorted(values.keys() & base_values.keys()))
    diverged = [(s.activation, seed) for s in sides for seed, r in s.runs.items() if r["state"] == State.DIVERGED]
    draft = replace(draft, seeds=seeds, diverged=tuple(diverged), left_out=_left_out(sides, seeds, metric))
    if seeds:
        pairs = [(values[seed], base_values[seed]) for seed in seeds]
        rounding = FLOAT32_ROUNDING * max(abs(value) for pair in pairs for value in pair)
        differences = [value - base_value for value, base_value in pairs]
        draft = _with_differences(draft, differences, rounding, most=_most(metric))
    if any(not choice.found for choice in draft.choices.values()):
        return replace(draft, gap=Gap.NO_CHOICE)
    if diverged:
        return replace(draft, gap=Gap.DIVERGED)
    if draft.differences is None:
        return replace(draft, gap=Gap.NO_SEED)
    p = float(evidence.sign_flip_p(draft.differences.values, rounding=rounding))
    return replace(draft, gap=None, p=p, t=float(evidence.paired_t_p(draft.differences.values, rounding=rounding)))


def _most(metric: Metric) -> float:
    """The largest possible difference: 1 for accuracies."""
    return math.inf if metric.is_logarithmic else metric.high - metric.low


def _with_differences(draft: Comparison, differences: list[float], rounding: float, *, most: float) -> Comparison:
    """Where the differences are equal up to the rounding of the scores, the digits that it has made up are dropped."""
    if rounding and evidence.all_equal(differences, rounding=rounding):
        decimals = math.floor(-math.log10(10 * rounding))
        differences = [round(float(np.mean(differences)), decimals)] * len(differences)
    return replace(
        draft,
        differences=summary(differences, within=(-most, most)),
        rounding=rounding,
        median=float(np.median(differences)),
        improvement=float(evidence.probability_of_improvement(differences, rounding=rounding)),
        skewed=bool(evidence.is_skewed(differences, rounding=rounding)),
    )


def _left_out(sides: Sequence[Cell], seeds: Sequence[int], metric: Metric) -> tuple[tuple[str, int, str], ...]:
    """Runs without a value whose counterpart has finished; diverged runs are reported elsewhere."""
    finished = {run["seed"] for side in sides for run in side.finished()}
    missing = []
    for seed in sorted(finished - set(seeds)):
        for side in sides:
            run = side.runs.get(seed)
            why = "not run" if run is None else state_shown(run)
            if why == State.FINISHED and seed not in side.values(metric):
                why = f"no {metric.tag}"
            if why not in (State.FINISHED, State.DIVERGED):
                missing.append((side.activation, seed, why))
    return tuple(missing)


def _with_what_varies(
    drafts: Sequence[Comparison], cells: Iterable[Cell], records: Sequence[Record]
) -> list[Comparison]:
    """Groups without the axes that are constant throughout the study, except for the depth, and with the defaults of
    the others where the commands spell them out."""
    groups = [cell.group for cell in cells]
    axes = dict.fromkeys(axis for group in groups for axis in group)
    varied = [axis for axis in axes if any(group.get(axis, ...) != groups[0].get(axis, ...) for group in groups)]
    found = {axis: spelled_default(records, axis) for axis in varied if axis not in ("blocks", NORM)}
    defaults = {axis: value for axis, value in found.items() if value is not None}
    shown = {"blocks", *varied}
    return [
        replace(d, group={axis: value for axis, value in {**defaults, **d.group}.items() if axis in shown})
        for d in drafts
    ]
