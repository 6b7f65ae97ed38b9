"""What the rules find in a study: in which configurations, in how many runs, on what evidence, and what helps.

Configurations that share what is wrong with them, and what helps, are one finding.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
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
from gradflow.study.records import Curves, EndedRuns, ended_runs


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


class Examination:
    """The rules applied to each run that has ended, one configuration after the other.

    Args:
        study: the study's folder.
        records: run.json of its runs, any state.
    """

    def __init__(self, study: Path, records: Sequence[Record]) -> None:
        self.study, self.records = study, records
        self._identities = identities([record for record in records if record["state"] in DONE])
        self._examined: dict[str, _Examined] = {}

    def passing(self, ended: EndedRuns) -> EndedRuns:
        """The same runs for whoever needs their curves too, each configuration's looked at as it passes."""
        for config, runs in ended:
            if runs:
                self._examined[config] = self._examine(config, runs)
            yield config, runs
            del runs  # before the next ones are read

    def advice(self, *, baseline: str | None = None, metric: str | None = None) -> Advice:
        """What the rules find in the runs that have passed, and in the comparisons of activations; as `advise`."""
        examined = [self._examined[config] for config in self._identities if config in self._examined]
        cases = {rule: [case for one in examined for case in one.cases[rule]] for rule in RULES}
        missing = sum((one.missing for one in examined), Counter[tuple[str, str]]())
        for strength, case in leads(self.study, self.records, baseline=baseline, metric=metric):
            cases[WORSE if strength is Strength.SHOWN else PERHAPS_WORSE].append(case)
        unfinished = Counter(_why_unfinished(r) for r in self.records if r["state"] not in DONE)
        return Advice(
            study=self.study,
            findings=tuple(finding for rule in RULES for finding in _findings(rule, cases[rule])),
            runs=sum(one.runs for one in examined),
            configurations=len(examined),
            unfinished=tuple(unfinished.items()),
            not_judged=tuple((rule, why, count) for (rule, why), count in missing.items()),
        )

    def _examine(self, config: str, ended: Sequence[tuple[Record, Curves]]) -> "_Examined":
        identity = self._identities[config]
        place = Place((identity["activation"],), (identity["blocks"],), (identity["variant"],))
        runs = [measured_run(self.study, record, curves) for record, curves in ended]
        missing: Counter[tuple[str, str]] = Counter()
        cases = {rule: _judge(rule, place, runs, missing) for rule in RULES}
        return _Examined(len(runs), cases, missing)


@dataclass(frozen=True)
class _Examined:
    """What the rules find in the runs of one configuration.

    Attributes:
        runs: their number.
        cases: by rule.
        missing: (rule, why) -> the number of runs that cannot be judged.
    """

    runs: int
    cases: Mapping[Rule, list[Case]]
    missing: Counter[tuple[str, str]]


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
    examination = Examination(study, records)
    for _ in examination.passing(ended_runs(study, records)):
        pass
    return examination.advice(baseline=baseline, metric=metric)


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
