"""Write the report of a study: one page that opens from disk, the same figures as pictures, the tables as files."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from gradflow import invocation
from gradflow.errors import printable
from gradflow.figures.marks import legend_of
from gradflow.figures.panels import Figure, save
from gradflow.figures.table import Table, markdown
from gradflow.report import tables
from gradflow.report.figures import figures
from gradflow.report.frames import Frames, study_frames
from gradflow.report.new_images import HEADER, WHAT_IT_COVERS, answers_of, differences_table, intervals
from gradflow.report.page import Content, Verdict, page
from gradflow.report.provenance import failures, provenance, spent
from gradflow.runs import tags
from gradflow.runs.metrics import selected_on_test
from gradflow.runs.record import Record, State, now
from gradflow.study.captions import covers
from gradflow.study.comparison.claims import Comparison
from gradflow.study.comparison.compare import compare
from gradflow.study.comparison.more_seeds import more_seeds
from gradflow.study.comparison.overall import Overall, overall
from gradflow.study.comparison.tuning import Tuning
from gradflow.study.output import writing_to
from gradflow.study.records import study_with_runs
from gradflow.study.status import true_state
from gradflow.study.treatments import compared

REPORT = "report"
PAGE = "index.html"
SELECTED_ON_TEST = (
    "The best epoch was selected on test data, as in the published study: scores at the best epoch tend to be better "
    "than those of an epoch chosen without looking at the test data."
)
_VANISHING = invocation.train("experiment=digits_vanishing")
NORMALISED = (
    "Every network here has batch normalisation, which hides much of what the activation does to the gradient. The "
    f"contrast: the same sweep with model.norm=none,batch, where the network has that option, or {_VANISHING}."
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
    frames = study_frames(study, records)
    content = _content(study, records, frames, baseline=baseline, tuning=tuning)
    place = output or study
    with writing_to(place):
        pass  # a folder that may not be written to is refused before the figures, which take longest
    legend = legend_of(frames.final, compared=compared(frames.final["activation"]))
    drawn = figures(frames, records, legend)
    text = page(content, drawn, legend)
    long = tables.long_table(frames, records)
    with writing_to(place):
        _replace(place / REPORT, lambda folder: _write(folder, text, drawn, content.tables, long))
    return place / REPORT / PAGE


def _content(
    study: Path, records: Sequence[Record], frames: Frames, *, baseline: str | None, tuning: Tuning | None
) -> Content:
    states = [true_state(study, record) for record in records]
    finished = states.count(State.FINISHED)
    made = now()[:16].replace("T", " ")
    facts = f"{finished} of {len(records)} runs finished, {spent(_seconds(records))} of training; generated {made} UTC."
    comparisons = compare(records, baseline=baseline, tuning=tuning) if finished else []
    verdict = _verdict(study, records, comparisons, tuning=tuning) if finished else Verdict(Overall([NOTHING_YET], []))
    return Content(
        study=records[0]["study"],
        facts=facts,
        verdict=verdict,
        notes=_notes(records),
        tables=_tables(
            study,
            records,
            frames,
            comparisons=comparisons,
        ),
        failures=failures(records, states),
        provenance=provenance(records),
    )


def _notes(records: Sequence[Record]) -> list[str]:
    finished = [record["metrics"] for record in records if record["state"] == State.FINISHED]
    is_normalised = bool(finished) and all(any(map(tags.is_other_bn, metrics)) for metrics in finished)
    notes = {SELECTED_ON_TEST: selected_on_test(records), NORMALISED: is_normalised}
    return [note for note, holds in notes.items() if holds]


def _verdict(
    study: Path, records: Sequence[Record], comparisons: Sequence[Comparison], *, tuning: Tuning | None
) -> Verdict:
    more = more_seeds(records, comparisons, study=study, tuned=tuning is not None)
    return Verdict(overall(comparisons), [comparison.verdict for comparison in comparisons], more)


def _seconds(records: Sequence[Record]) -> float:
    return sum(record["duration_s"] or 0.0 for record in records)


def _tables(
    study: Path,
    records: Sequence[Record],
    frames: Frames,
    *,
    comparisons: Sequence[Comparison],
) -> list[Table]:
    """The tables that have rows, in the order of the page, with what their intervals cover.

    Args:
        study: its folder.
        records: run.json of its runs.
        frames: of its runs.
        comparisons: by the headline.
    """
    if frames.final.empty:
        return []
    headline = records[0]["headline"]
    answers = answers_of(study, records, headline)
    new_images = intervals(answers, records, frames.table[headline])
    with_intervals = [
        tables.headline_table(frames, records, new_images=new_images),
        differences_table(comparisons, answers, frames.table),
        tables.depth_table(frames, records),
        tables.metrics_table(frames, records),
        tables.layers_table(frames, records),
    ]
    sentence = covers(records)
    made = [_captioned(table, sentence) for table in with_intervals]
    made.insert(3, tables.change_table(frames, records))
    return [table for table in made if table.rows]


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
