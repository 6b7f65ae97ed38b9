"""What the advice on a study says, as its page shows it: in people's words, remedies that are commands apart."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from gradflow.advise.findings import Advice, Finding
from gradflow.advise.remedies import is_command
from gradflow.advise.rules import RULES, Rule, Severity
from gradflow.runs.metrics import MetricTable
from gradflow.runs.words import activation_words, axis_words, capital, count, layer_words, listed, setting_words

_MEANS = {
    Severity.BROKEN: "it does not learn, or its first layers do not",
    Severity.WEAK: "it learns, but better is known",
    Severity.HINT: "not enough is known yet",
}
_SETTING = re.compile(r"[\w.]+=\S+")
_DOTTED = re.compile(r"\b[a-z]\w*\.\w+")
_LAYER = re.compile(r"\b\d{2,}_[\w.]*\w")
_BLOCKS = re.compile(r"\bblocks=(\d+(?:, \d+)*)")


@dataclass(frozen=True)
class Remedy:
    """Something to try; `is_setting` where it is an override of the command line."""

    text: str
    is_setting: bool


@dataclass(frozen=True)
class Kind:
    """The findings of one rule.

    Attributes:
        means: the severity in words.
        found: where, in how many runs, on what evidence.
        commands: remedies that are whole command lines.
    """

    name: str
    severity: str
    means: str
    condition: str
    source: str
    found: list[dict[str, str]]
    remedies: list[Remedy]
    commands: list[str]


@dataclass(frozen=True)
class Found:
    """All findings, the most severe rule first.

    Attributes:
        summary: what was looked at, and how much was found.
        notes: what could not be judged.
    """

    summary: str
    kinds: list[Kind]
    notes: list[str]


def found(advice: Advice, table: MetricTable) -> Found:
    """The findings for a page.

    Args:
        advice: on the study.
        table: the study's metrics, whose tags are replaced by their words.
    """
    by_rule = [(rule, list(own)) for rule, own in groupby(advice.findings, key=lambda finding: finding.rule)]
    missing = [
        f"{capital(rule)}, in {count(number, 'run')}: {in_words(why, table)}" for rule, why, number in advice.not_judged
    ]
    unfinished = [f"{count(number, 'run')}: {why}" for why, number in advice.unfinished]
    return Found(_summary(advice), [_kind(rule, own, table) for rule, own in by_rule], missing + unfinished)


def in_words(text: str, table: MetricTable) -> str:
    """`gradient, root mean square of block 2, at 6 blocks` for `grad_rms of 02_block, at blocks=6`."""
    text = _BLOCKS.sub(lambda match: _blocks(match[1]), text)
    text = _LAYER.sub(lambda match: layer_words(match[0]), text)
    return re.sub(r"\b[a-z]\w*(?:/\w+)?\b", lambda match: _tag(match[0], table), text)


def _tag(word: str, table: MetricTable) -> str:
    """The words of a tag; other words stay."""
    if "_" not in word and "/" not in word:
        return word
    row = table.row(word) or table.row(f"{word}/any layer")
    return word if row is None else row.words


def _blocks(depths: str) -> str:
    several = depths.split(", ")
    return f"{listed(several)} block{'' if several == ['1'] else 's'}"


def _summary(advice: Advice) -> str:
    looked = f"{count(advice.runs, 'run')} of {count(advice.configurations, 'configuration')}"
    if not advice.runs:
        return "No run has ended yet, so there is nothing to judge."
    if not advice.findings:
        return f"Nothing: none of the {len(RULES)} rules holds in {'any of ' if advice.runs > 1 else ''}{looked}."
    kinds = count(len({finding.rule.name for finding in advice.findings}), "kind")
    return f"{count(len(advice.findings), 'finding')} of {kinds} in {looked}, by {len(RULES)} rules; the worst first."


def _kind(rule: Rule, findings: Sequence[Finding], table: MetricTable) -> Kind:
    remedies = list(dict.fromkeys(remedy for finding in findings for remedy in finding.remedies))
    commands = [remedy for remedy in remedies if is_command(remedy)]
    said = [_remedy(remedy) for remedy in remedies if not is_command(remedy)]
    return Kind(
        name=capital(rule.name),
        severity=rule.severity.value,
        means=_MEANS[rule.severity],
        condition=capital(in_words(rule.condition, table)),
        source=rule.source,
        found=[
            {
                "where": _where(finding),
                "runs": f"{finding.holds} of {count(finding.judged, 'run')}",
                "evidence": in_words(finding.evidence, table),
            }
            for finding in findings
        ],
        remedies=said + ([Remedy("more seeds", is_setting=False)] if commands else []),
        commands=commands,
    )


def _remedy(text: str) -> Remedy:
    """`a lower learning rate` for `a lower optimizer.lr`; an override is typed as it is."""
    if _SETTING.fullmatch(text):
        return Remedy(text, is_setting=True)
    return Remedy(_DOTTED.sub(lambda match: axis_words(match[0]), text), is_setting=False)


def _where(finding: Finding) -> str:
    """`ReLU and sigmoid, 4 and 8 blocks, without normalisation`."""
    place = finding.place
    depths = ", ".join(str(depth) for depth in place.depths if depth is not None)
    parts = [
        listed([activation_words(name) for name in place.activations]),
        _blocks(depths) if depths else "",
        listed([setting_words(one) or "default settings" for one in place.others]) if any(place.others) else "",
    ]
    return ", ".join(filter(None, parts))
