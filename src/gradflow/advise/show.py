"""Advice for the terminal and as Markdown."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gradflow import terminal
from gradflow.advise.findings import Advice, Finding
from gradflow.advise.remedies import is_command
from gradflow.advise.rules import RULES, Rule, Severity
from gradflow.figures.table import Table as TextTable
from gradflow.figures.table import markdown
from gradflow.runs.health import listed
from gradflow.wrapping import Wrapped

_STYLES = {Severity.BROKEN: "bold red", Severity.WEAK: "bold yellow", Severity.HINT: "bold cyan"}
_RULE_HEADERS = ["finding", "means", "holds when", "source", "remedies"]
_FINDING_HEADERS = ["where", "runs", "evidence"]


def on_screen(advice: Advice) -> RenderableType:
    """Every finding under its rule, the most severe rule first."""
    parts: list[RenderableType] = [terminal.sentence(summary(advice))]
    for rule, findings in _by_rule(advice):
        parts.append(Text.assemble("\n", (_heading(rule), _STYLES[rule.severity])))
        for finding in findings:
            parts.append(Wrapped(Text.assemble("  ", (finding.where, "bold"), f": {_runs(finding)}"), hanging=4))
            parts.append(Wrapped(f"    {finding.evidence}"))
        parts += [Wrapped(Text(f"  rule: {rule.condition}", "dim")), Wrapped(f"  try:  {_remedies(findings)}")]
        parts += [terminal.line(f"    {command}") for command in _commands(findings)]  # to be copied whole
    notes = _notes(advice)
    parts += [Text()] if notes else []
    return Group(*parts, *(Wrapped(Text(note, "dim"), hanging=2) for note in notes))


def as_markdown(advice: Advice) -> str:
    """The same as headings, tables and lists."""
    parts = ["# Advice", f"{summary(advice)}"]
    for rule, findings in _by_rule(advice):
        rows = [[finding.where, _runs(finding), finding.evidence] for finding in findings]
        table = markdown(TextTable(f"Rule: {rule.condition}.", _FINDING_HEADERS, rows))
        commands = [f"```\n{command}\n```" for command in _commands(findings)]
        end = ":" if commands else "."
        parts += [f"## {_heading(rule).capitalize()}", table.rstrip(), f"Try: {_remedies(findings)}{end}", *commands]
    if notes := _notes(advice):
        parts.append("\n".join(f"- {note}" for note in notes))
    return "\n\n".join(parts) + "\n"


def rules_on_screen() -> RenderableType:
    """The table of rules, the most severe first."""
    parts: list[RenderableType] = []
    for rule in RULES:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True, style="dim")
        table.add_column()
        for header, cell in zip(_RULE_HEADERS[2:], _rule_row(rule)[2:], strict=True):
            table.add_row(header, Text(cell))
        parts.append(Group(Text(_heading(rule), _STYLES[rule.severity]), Padding(table, (0, 0, 1, 2))))
    return Group(*parts)


def rules_as_markdown() -> str:
    caption = "The rules of gradflow.advise, the most severe first."
    return markdown(TextTable(caption, _RULE_HEADERS, [_rule_row(rule) for rule in RULES]))


def summary(advice: Advice) -> str:
    """One line: what was examined, and how much was found."""
    looked = f"{_count(advice.runs, 'run')} of {_count(advice.configurations, 'configuration')}"
    if not advice.findings:
        if not advice.runs:
            return f"{advice.study}: no run has ended yet, so there is nothing to judge"
        return f"{advice.study}: nothing wrong found in {looked}: none of the {len(RULES)} rules holds"
    kinds = len({finding.rule.name for finding in advice.findings})
    return f"{advice.study}: {_count(len(advice.findings), 'finding')} of {_count(kinds, 'kind')} in {looked}"


def _by_rule(advice: Advice) -> Iterator[tuple[Rule, list[Finding]]]:
    for _, findings in groupby(advice.findings, key=lambda finding: finding.rule.name):
        own = list(findings)
        yield own[0].rule, own


def _heading(rule: Rule) -> str:
    return f"{rule.name} ({rule.severity})"


def _runs(finding: Finding) -> str:
    return f"{finding.holds} of {_count(finding.judged, 'run')}"


def _remedies(findings: Sequence[Finding]) -> str:
    """Every remedy of the findings, each once; commands follow."""
    found = [remedy for remedy in _each(findings) if not is_command(remedy)]
    found += ["more seeds"] if _commands(findings) else []
    return listed(found) if found else "no further remedy is known"


def _commands(findings: Sequence[Finding]) -> list[str]:
    """The remedies that are commands, each once."""
    return [remedy for remedy in _each(findings) if is_command(remedy)]


def _each(findings: Sequence[Finding]) -> list[str]:
    return list(dict.fromkeys(remedy for finding in findings for remedy in finding.remedies))


def _rule_row(rule: Rule) -> list[str]:
    return [rule.name, rule.severity.value, rule.condition, rule.source, listed(rule.remedies)]


def _notes(advice: Advice) -> list[str]:
    notes = [f"not judged: {rule} in {_count(count, 'run')} ({why})" for rule, why, count in advice.not_judged]
    return notes + [f"not judged: {_count(count, 'run')} {why}" for why, count in advice.unfinished]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
