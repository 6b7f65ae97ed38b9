"""What a sweep ends with: the answer so far and, as commands to copy, what to look at, seeds to add, how to go on."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from gradflow import invocation, terminal
from gradflow.runs.record import Record, State
from gradflow.study.answer import answer
from gradflow.study.comparison.compare import compare
from gradflow.study.comparison.more_seeds import MoreSeeds, more_seeds
from gradflow.study.how_sure import evidence
from gradflow.study.records import readable_runs
from gradflow.study.treatments import with_treatments
from gradflow.sweep import present
from gradflow.sweep.plan import PlannedRun

_MOST_STUDIES = 2  # that are told one by one
_RERUN = "rerun="


def show(runs: Sequence[PlannedRun]) -> None:
    """Print what the first studies of a sweep answer, and what to do next; nothing of one that has no results."""
    studies = sorted({run.folder.parent.parent for run in runs})
    for study in studies[:_MOST_STUDIES]:
        records = with_treatments(readable_runs(study)[0])
        if any(r["headline"] in r["metrics"] for r in records if r["state"] == State.FINISHED):
            more = _answer(study, records)
            for purpose, command in _steps(study, more):
                terminal.say(f"next: {purpose}")
                terminal.say_whole(f"  {command}")
    if others := len(studies[_MOST_STUDIES:]):
        terminal.say(f"the same for the other {others} {'study' if others == 1 else 'studies'}", style="dim")


def _answer(study: Path, records: Sequence[Record]) -> MoreSeeds | None:
    """Print what the means say and how sure it is, unless headlines differ; the seeds that would show more."""
    if len({record["headline"] for record in records}) > 1:
        return None
    for sentence in answer(records).sentences:
        terminal.say(sentence, style="bold")
    if not (comparisons := compare(records)):
        return None
    more = more_seeds(records, comparisons, study=study)
    how_sure = evidence(records, comparisons, more)
    terminal.say(f"{how_sure.label}: {how_sure.text}")
    return more


def _steps(study: Path, more: MoreSeeds | None) -> Iterator[tuple[str, str]]:
    """(what for, command)."""
    yield "the report, a page with the answer and its charts", invocation.tool("study", str(study), "report")
    yield "curves in TensorBoard", invocation.tool("tensorboard", str(study))
    if more is not None and more.command:
        yield f"more seeds. {more.text.removesuffix('; the missing ones:')}", more.command


def say_how_to_go_on(runs: Sequence[PlannedRun]) -> None:
    """Print what is left of a sweep that was interrupted, and the command that goes on."""
    done = sum(present.is_done(run.folder) for run in runs)
    count = f"{done} of {len(runs)} runs done, {len(runs) - done} left: " if len(runs) > 1 else ""
    words = invocation.typed()
    kept = [word for word in words if not word.lstrip("+").startswith(_RERUN)]
    which = "the same command" if kept == words else "without rerun=true, the same command"
    terminal.say(f"{count}{which} goes on from here", style="yellow")
    terminal.say_whole(f"  {invocation.train(*kept)}")
