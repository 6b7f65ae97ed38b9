"""What a user may do after a sweep, as commands to copy: look at what it shows, add seeds, go on where it was ended."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from gradflow import invocation, terminal
from gradflow.runs.record import Record, State
from gradflow.study.comparison.compare import compare
from gradflow.study.comparison.more_seeds import more_seeds
from gradflow.study.records import readable_runs
from gradflow.study.treatments import with_treatments
from gradflow.sweep import present
from gradflow.sweep.plan import PlannedRun

_MOST_STUDIES = 2  # whose commands are named
_RERUN = "rerun="


def show(runs: Sequence[PlannedRun]) -> None:
    """Print what to look at next, for the first studies of a sweep that have results."""
    studies = sorted({run.folder.parent.parent for run in runs})
    for study in studies[:_MOST_STUDIES]:
        for purpose, command in _steps(study):
            terminal.say(f"next: {purpose}")
            terminal.say_whole(f"  {command}")
    if more := len(studies[_MOST_STUDIES:]):
        terminal.say(f"the same for the other {more} {'study' if more == 1 else 'studies'}", style="dim")


def _steps(study: Path) -> Iterator[tuple[str, str]]:
    """(what for, command), none as long as no run has finished."""
    records = with_treatments(readable_runs(study)[0])
    finished = [record for record in records if record["state"] == State.FINISHED]
    if not finished:
        return
    yield "the report, a page with the answer and its charts", invocation.tool("study", str(study), "report")
    yield "curves in TensorBoard", invocation.tool("tensorboard", str(study))
    yield from _seeds(study, records)


def _seeds(study: Path, records: Sequence[Record]) -> Iterator[tuple[str, str]]:
    """The seeds that the evidence lacks."""
    if any(record["headline"] in record["metrics"] for record in records if record["state"] == State.FINISHED):
        more = more_seeds(records, compare(records), study=study)
        if more is not None and more.command:
            yield f"more seeds. {more.text.removesuffix(':')}", more.command


def say_how_to_go_on(runs: Sequence[PlannedRun]) -> None:
    """Print what is left of a sweep that was interrupted, and the command that goes on."""
    done = sum(present.is_done(run.folder) for run in runs)
    count = f"{done} of {len(runs)} runs done, {len(runs) - done} left: " if len(runs) > 1 else ""
    words = invocation.typed()
    kept = [word for word in words if not word.lstrip("+").startswith(_RERUN)]
    which = "the same command" if kept == words else "without rerun=true, the same command"
    terminal.say(f"{count}{which} goes on from here", style="yellow")
    terminal.say_whole(f"  {invocation.train(*kept)}")
