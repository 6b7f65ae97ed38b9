"""What the rules find in a study: in which configurations, in how many runs, on what evidence, and what helps."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gradflow.advise.comparisons import Lead, leads
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
        where: `sigmoid, blocks=8`, with whatever else the study varies.
        holds: the number of runs in which it holds (for comparisons: of the pair's seeds).
        judged: the number of runs judged.
        evidence: one line, for the worst of them.
        remedies: those of the rule that the configuration does not have yet.
        badness: the larger, the worse; within the rule.
    """

    rule: Rule
    where: str
    holds: int
    judged: int
    evidence: str
    remedies: tuple[str, ...]
    badness: float


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
    findings: list[Finding] = []
    missing: Counter[tuple[str, str]] = Counter()
    sizes = Counter[str]()
    for config, identity in identities(ended).items():
        read = [measured_run(study, record) for record in ended if record["config"] == config]
        if not (runs := [run for run in read if run is not None]):
            continue
        sizes[config] = len(runs)
        where = _where(identity["activation"], identity["blocks"], identity["variant"])
        for rule in RULES:
            if (found := _judge(rule, where, runs, missing)) is not None:
                findings.append(found)
    findings += [_compared(lead) for lead in leads(study, records, baseline=baseline, metric=metric)]
    return Advice(
        study=study,
        findings=tuple(sorted(findings, key=lambda finding: (RULES.index(finding.rule), -finding.badness))),
        runs=sizes.total(),
        configurations=len(sizes),
        unfinished=tuple(Counter(_why_unfinished(r) for r in records if r["state"] not in DONE).items()),
        not_judged=tuple((rule, why, count) for (rule, why), count in missing.items()),
    )


def _why_unfinished(record: Record) -> str:
    return state_shown(record) if record["state"] == State.CUT_SHORT else "not finished yet"


def _where(activation: str, blocks: int | None, variant: str) -> str:
    parts = [activation, "" if blocks is None else f"blocks={blocks}", variant]
    return ", ".join(part for part in parts if part)


def _judge(rule: Rule, where: str, runs: Sequence[MeasuredRun], missing: Counter[tuple[str, str]]) -> Finding | None:
    """The finding of a rule in the runs of one configuration; `missing` counts the runs that cannot be judged."""
    if rule.judge is None:
        return None
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
        return None
    sightings.sort(key=lambda sighting: -sighting.badness)
    worst, mildest = sightings[0], sightings[-1]
    evidence = worst.evidence
    if worst.number != mildest.number:
        evidence += f" (the worst seed; the mildest of the {len(sightings)}: {mildest.number})"
    remedies = health.open_remedies(rule.remedies, runs[0].config)
    return Finding(rule, where, len(sightings), judged, evidence, remedies, worst.badness)


def _compared(lead: Lead) -> Finding:
    rule = WORSE if lead.strength is Strength.SHOWN else PERHAPS_WORSE
    return Finding(rule, lead.where, lead.holds, lead.seeds, lead.evidence, (lead.remedy,), lead.badness)
