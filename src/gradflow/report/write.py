"""Write the report of a study: one page that opens from disk, the same figures as pictures, the tables as files."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from gradflow import invocation
from gradflow.advise.findings import Examination
from gradflow.errors import printable
from gradflow.figures.marks import legend_of
from gradflow.figures.panels import Figure, save
from gradflow.figures.table import Table, markdown
from gradflow.report import tables
from gradflow.report.figures import figures
from gradflow.report.found import found
from gradflow.report.frames import Frames, study_frames
from gradflow.report.new_images import (
    HEADER,
    WHAT_IT_COVERS,
    AnswersOfRuns,
    answers_of,
    differences_table,
    intervals,
)
from gradflow.report.page import Content, Note, page
from gradflow.report.provenance import failures, provenance, spent
from gradflow.runs import tags
from gradflow.runs.metrics import selected_on_test
from gradflow.runs.record import Record, State, now
from gradflow.runs.words import count
from gradflow.study.answer import answer
from gradflow.study.captions import covers, has_intervals
from gradflow.study.comparison.compare import compare
from gradflow.study.comparison.more_seeds import more_seeds
from gradflow.study.comparison.overall import overall
from gradflow.study.comparison.tuning import Tuning
from gradflow.study.how_sure import evidence
from gradflow.study.output import writing_to
from gradflow.study.records import ended_runs, study_with_runs
from gradflow.study.setting import setting
from gradflow.study.status import true_state
from gradflow.study.treatments import compared

REPORT = "report"
PAGE = "index.html"
SELECTED_ON_TEST = (
    "The best epoch was selected on test data, as in the published study: scores at the best epoch tend to be better "
    "than those of an epoch chosen without looking at the test data."
)
NORMALISED = Note(
    "Every network here has batch normalisation, which hides much of what the activation does to the gradient. The "
    "contrast is the same sweep with model.norm=none,batch, where the network has that option, or:",
    invocation.train("experiment=digits_vanishing"),
)
NOTHING_YET = "No run of this study has finished yet: there is nothing to average."


def write_report(
    study: Path,
    records: Sequence[Record] = (),
    *,
    baseline: str | None = None,
    tuning: Tuning | None = None,
    output: Path | None = None,
) -> Path:
    """Write `<study>/report/`: index.html, figures/, table.csv, table.md. An earlier report is replaced as a whole.

    Args:
        study: the study's folder, `outputs/<study>`.
        records: run.json of its runs, if they have been read already.
        baseline: the activation that the others are compared with; `compare`'s default if None.
        tuning: of a key whose value was first chosen per configuration; then the verdict rests on the other seeds.
        output: the folder to write `report/` into, if not the study's.

    Returns:
        The page.

    Raises:
        ConfigError: if the folder holds no runs, or may not be written to.
        ValueError: if the baseline is not in the study.
    """
    records = records or study_with_runs(study)
    examination = Examination(study, records)
    frames = study_frames(study, records, examination.passing(ended_runs(study, records)))
    content = _content(examination, frames, baseline=baseline, tuning=tuning)
    place = output or study
    with writing_to(place):
        pass  # a folder that may not be written to is refused before the figures, which take longest
    legend = legend_of(frames.final, compared=compared(frames.final["activation"]))
    drawn = figures(frames, records, legend)
    text = page(content, drawn, legend)
    long = tables.long_table(frames, records)
    shown = [table for table in (*(table for _, table in content.tables), content.differences) if table.rows]
    with writing_to(place):
        _replace(place / REPORT, lambda folder: _write(folder, text, drawn, shown, long))
    return place / REPORT / PAGE


def _content(examination: Examination, frames: Frames, *, baseline: str | None, tuning: Tuning | None) -> Content:
    study, records = examination.study, examination.records
    states = [true_state(study, record) for record in records]
    any_finished = State.FINISHED in states
    comparisons = compare(records, baseline=baseline, tuning=tuning) if any_finished else []
    more = more_seeds(records, comparisons, study=study, tuned=tuning is not None) if any_finished else None
    answers = answers_of(study, records, records[0]["headline"])
    return Content(
        answer=answer(tuning.records if tuning else records),
        setting=setting(study, records),
        facts=_facts(records, states),
        evidence=evidence(records, comparisons, more) if any_finished else None,
        notes=_notes(records),
        comparisons=[comparison.verdict for comparison in comparisons],
        details=overall(comparisons).details,
        differences=_captioned(differences_table(comparisons, answers, frames.table), covers(records)),
        intervals=list(filter(None, [covers(records), WHAT_IT_COVERS if answers and has_intervals(records) else ""])),
        findings=found(examination.advice(baseline=baseline), frames.table),
        tables=_tables(records, frames, answers) if any_finished else [],
        failures=failures(records, states),
        provenance=provenance(records),
    )


def _facts(records: Sequence[Record], states: Sequence[str]) -> str:
    finished = states.count(State.FINISHED)
    runs = f"{finished} of {count(len(records), 'run')} finished, {spent(_seconds(records))} of training"
    return f"Study {records[0]['study']}: {runs}; page made {now()[:16].replace('T', ' ')} UTC."


def _notes(records: Sequence[Record]) -> list[Note]:
    finished = [record["metrics"] for record in records if record["state"] == State.FINISHED]
    is_normalised = bool(finished) and all(any(map(tags.is_other_bn, metrics)) for metrics in finished)
    notes = [(Note(SELECTED_ON_TEST), selected_on_test(records)), (NORMALISED, is_normalised)]
    return [note for note, holds in notes if holds]


def _seconds(records: Sequence[Record]) -> float:
    return sum(record["duration_s"] or 0.0 for record in records)


def _tables(records: Sequence[Record], frames: Frames, answers: AnswersOfRuns) -> list[tuple[str, Table]]:
    """The tables that have rows by title, the headline first, with what their intervals cover.

    Args:
        records: run.json of the study's runs.
        frames: of its runs.
        answers: that its runs have kept.
    """
    headline = records[0]["headline"]
    new_images = intervals(answers, records, frames.table[headline])
    made = {
        "The score": tables.headline_table(frames, records, new_images=new_images),
        "Activations side by side, by depth": tables.depth_table(frames, records),
        "All other measurements": tables.metrics_table(frames, records),
        "Measurements of each layer": tables.layers_table(frames, records),
    }
    covered = {title: _captioned(table, covers(records)) for title, table in made.items()}
    covered["Change with depth"] = tables.change_table(frames, records)
    order = ["The score", "Change with depth", *made]
    return [(title, covered[title]) for title in dict.fromkeys(order) if covered[title].rows]


def _captioned(table: Table, sentence: str) -> Table:
    also = WHAT_IT_COVERS if HEADER in table.headers else ""
    return replace(table, caption=" ".join(filter(None, [table.caption, sentence, also])))


def _write(folder: Path, text: str, drawn: Sequence[Figure], shown: Sequence[Table], long: pd.DataFrame) -> None:
    pictures = folder / "figures"
    pictures.mkdir(parents=True)
    for figure in drawn:
        if figure.panels:
            save(figure, pictures)
    (folder / PAGE).write_text(text, encoding="utf-8")
    texts = [markdown(table) for table in shown] or [f"{NOTHING_YET}\n"]
    (folder / "table.md").write_text("\n".join(texts), encoding="utf-8")
    printable_cells = long.map(lambda cell: printable(cell) if isinstance(cell, str) else cell)
    printable_cells.to_csv(folder / "table.csv", index=False)


def _replace(place: Path, write: Callable[[Path], None]) -> None:
    """Replace one folder with what `write` fills; a folder cannot be renamed over one that is not empty."""
    new, old = place.with_name(f".{place.name}.new"), place.with_name(f".{place.name}.old")
    for left_by_a_killed_writer in (new, old):
        shutil.rmtree(left_by_a_killed_writer, ignore_errors=True)
    try:
        write(new)
        if place.exists():
            place.rename(old)
        new.rename(place)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
