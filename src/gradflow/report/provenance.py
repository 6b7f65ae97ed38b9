"""What was run, with which versions, on what, and what did not finish."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from gradflow.figures.table import Table
from gradflow.runs.record import Record, State
from gradflow.runs.states import why
from gradflow.runs.words import activation_words, blocks_words, count, setting_words
from gradflow.study.configurations import identities

_VERSIONS = ("gradflow", "python", "torch", "lightning", "hydra")


def failures(records: Sequence[Record], states: Sequence[str]) -> Table:
    """Every run that is not averaged: diverged, failed, interrupted, cut short, running or planned.

    Args:
        records: run.json of the runs of a study.
        states: the current state of each.
    """
    known = identities(records)
    rows = [
        [_configuration(known[record["config"]]), str(record["seed"]), state.replace("_", " "), why(record)]
        for record, state in zip(records, states, strict=True)
        if state != State.FINISHED
    ]
    counts = Counter(row[2] for row in rows)
    caption = f"Left out of every average: {', '.join(f'{n} {state}' for state, n in counts.items())}."
    if not any(row[-1] for row in rows):
        rows = [row[:-1] for row in rows]
        return Table(caption=caption, headers=["configuration", "seed", "state"], rows=rows)
    return Table(caption=caption, headers=["configuration", "seed", "state", "why"], rows=rows)


def _configuration(identity: Mapping[str, Any]) -> str:
    """`sigmoid, 4 blocks, without normalisation`."""
    blocks = identity["blocks"]
    depth = "" if blocks is None else blocks_words(blocks)
    return ", ".join(
        filter(None, [activation_words(identity["activation"]), depth, setting_words(identity["variant"])])
    )


def provenance(records: Sequence[Record]) -> dict[str, list[str]]:
    """What was run, as term -> the distinct values among the runs that have started."""
    started = [record for record in records if record["provenance"]]
    whole = [record["provenance"] for record in started if record["provenance"]]
    found = {
        "command": [str(p.get("command")) for p in whole],
        "commit": [_commit(p) for p in whole],
        "versions": [", ".join(f"{name} {p[name]}" for name in _VERSIONS if p.get(name)) for p in whole],
        "device": [f"{p.get('device')}, {count(p.get('threads') or 0, 'thread')}" for p in whole],
        "platform": [str(p.get("platform")) for p in whole],
        "the same in all": [_fixed(records)],
        "best epoch": [f"selected on {record['selected_on']}" for record in records],
        "parameters": [_range(record["parameters"] for record in started if record["parameters"])],
        "seeds": [", ".join(map(str, sorted({record["seed"] for record in records})))],
        "time": [_times(started)],
    }
    return {term: unique for term, values in found.items() if (unique := [v for v in dict.fromkeys(values) if v])}


def spent(seconds: float) -> str:
    """`2 h 5 min`, `3 min 20 s` or `12.3 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _times(started: Sequence[Record]) -> str:
    durations = [record["duration_s"] for record in started if record["duration_s"]]
    begun = sorted(record["started"] for record in started if record["started"])
    ended = sorted(record["finished"] for record in started if record["finished"])
    span = f", from {_minute(begun[0])} to {_minute(ended[-1])} UTC" if begun and ended else ""
    return f"{spent(sum(durations))} over {count(len(durations), 'run')}{span}" if durations else ""


def _minute(moment: str) -> str:
    """`2026-11-27 23:13` of a moment in UTC as records hold it."""
    return moment[:16].replace("T", " ")


def _fixed(records: Sequence[Record]) -> str:
    """What differs from the study's defaults in the same way for all runs."""
    axes = [{k: str(v) for k, v in record["axes"].items() if k not in ("activation", "blocks")} for record in records]
    common: Mapping[str, Any] = {k: v for k, v in axes[0].items() if all(other.get(k) == v for other in axes)}
    return ", ".join(setting_words(f"{key}={value}") for key, value in common.items())


def _commit(provenance: Mapping[str, Any]) -> str:
    commit = provenance.get("git_commit")
    if not commit:
        return "none: not run from a git checkout"
    return f"{commit}{'' if provenance.get('git_clean') else ', with uncommitted changes'}"


def _range(numbers: Any) -> str:
    found = sorted(set(numbers))
    if not found:
        return ""
    return f"{found[0]:,}" if len(found) == 1 else f"{found[0]:,} to {found[-1]:,}"
