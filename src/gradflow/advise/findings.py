"""What the rules find in a study: in which configurations, in how many runs, on what evidence, and what helps.

Configurations that share what is wrong with them, and what helps, are one finding.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gradflow.advise.cases import Case, Place, shared
from gradflow.advise.comparisons import leads
from gradflow.advise.measured_run import MeasuredRun, NotJudged, Sighting, measured_run
from gradflow.advise.rules import PERHAPS_WORSE, RULES, WORSE, Rule
from gradflow.runs import health
from gradflow.runs.record import DONE, Record, State
from gradflow.runs.states import state_shown
from gradflow.study.comparison.claims import Strength
from gradflow.study.configurations import identities


@dataclass(frozen=True)
class Finding:
    """A rule holds somewhere.

    Attributes:
        place: the configurations.
        holds: the number of runs in which it holds (for comparisons: of the pair's seeds).
        judged: the number of runs judged.
        evidence: one line: the worst of them, and how bad the mildest is.
        remedies: those of the rule that the configurations do not have yet.
        badness: the larger, the worse; within the rule.
    """

    rule: Rule
    place: Place
    holds: int
    judged: int
    evidence: str
    remedies: tuple[str, ...]
    badness: float

    @property
    def where(self) -> str:
        """`sigmoid, blocks=4, 6, 8`, with whatever else the study varies."""
        return str(self.place)


@dataclass(frozen=True)
class Advice:
    """All findings of a study, by severity, and what they rest on.

    Attributes:
        runs: the number of runs examined, finished or diverged, with whole curves.
        configurations: the number of configurations they belong to.
        unfinished: (why, number of runs) of those not examined.
        not_judged: (rule, why, number of runs) where a measurement was missing.
    """

    study: Path
    findings: tuple[Finding, ...]
    runs: int
    configurations: int
    unfinished: tuple[tuple[str, int], ...]
    not_judged: tuple[tuple[str, str, int], ...]


def advise(study: Path, records: Sequence[Record], *, baseline: str | None = None, metric: str | None = None) -> Advice:
    """Apply every rule to every run that has ended, and to the comparisons of activations.

    Args:
        study: the study's folder.
        records: run.json of its runs, any state.
        baseline: the activation that others are compared with, as in `gradflow.study.comparison.compare`.
        metric: what they are compared by; the study's headline by default.

    Raises:
        ValueError: if the study has no such baseline or metric.
    """
    ended = [record for record in records if record["state"] in DONE]
    cases: dict[Rule, list[Case]] = {rule: [] for rule in RULES}
    missing: Counter[tuple[str, str]] = Counter()
    sizes = Counter[str]()
    for config, identity in identities(ended).items():
        read = [measured_run(study, record) for record in ended if record["config"] == config]
        if not (runs := [run for run in read if run is not None]):
            continue
        sizes[config] = len(runs)
        place = Place((identity["activation"],), (identity["blocks"],), (identity["variant"],))
        for rule in RULES:
            cases[rule] += _judge(rule, place, runs, missing)
    for strength, case in leads(study, records, baseline=baseline, metric=metric):
        cases[WORSE if strength is Strength.SHOWN else PERHAPS_WORSE].append(case)
    return Advice(
        study=study,
        findings=tuple(finding for rule in RULES for finding in _findings(rule, cases[rule])),
        runs=sizes.total(),
        configurations=len(sizes),
        unfinished=tuple(Counter(_why_unfinished(r) for r in records if r["state"] not in DONE).items()),
        not_judged=tuple((rule, why, count) for (rule, why), count in missing.items()),
    )


def _why_unfinished(record: Record) -> str:
    return state_shown(record) if record["state"] == State.CUT_SHORT else "not finished yet"


def _judge(rule: Rule, place: Place, runs: Sequence[MeasuredRun], missing: Counter[tuple[str, str]]) -> list[Case]:
    """What a rule finds in the runs of one configuration; `missing` counts the runs that cannot be judged."""
    if rule.judge is None:
        return []
    judged = 0
    sightings: list[Sighting] = []
    for run in runs:
        try:
            sighting = rule.judge(run)
        except NotJudged as why:
            missing[rule.name, str(why)] += 1
            continue
        judged += 1
        sightings += [sighting] if sighting else []
    if not sightings:
        return []
    sightings.sort(key=lambda sighting: -sighting.badness)
    seen = tuple((place, sighting) for sighting in sightings)
    return [Case(place, len(sightings), judged, seen, health.open_remedies(rule.remedies, runs[0].config))]


def _findings(rule: Rule, cases: Sequence[Case]) -> list[Finding]:
    """Those of a rule, the worst first."""
    found = [Finding(rule, c.place, c.holds, c.judged, c.evidence, c.remedies, c.badness) for c in shared(cases)]
    return sorted(found, key=lambda finding: -finding.badness)
