"""`docs/reproductions.md`: published and measured side by side, from the stored tables alone."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from gradflow.figures.table import Table, markdown
from gradflow.reproductions import figure
from gradflow.reproductions.evidence import evidence
from gradflow.reproductions.measured import by_seed, measured_table
from gradflow.reproductions.numbers import estimate, published, seed_by_seed
from gradflow.reproductions.published import Claim, Experiment, experiments
from gradflow.reproductions.stored import Tables, each, read
from gradflow.reproductions.verdicts import RULES, Verdict, judge
from gradflow.runs.record import State

_TEMPLATE = Path(__file__).parent / "template"
NOT_RUN = "not run"


@dataclass(frozen=True)
class Judged:
    """A claim with what was measured for it."""

    claim: Claim
    values: Sequence[float]
    verdict: Verdict
    why: str


@dataclass(frozen=True)
class Section:
    """One experiment on the page; `tables` is None where it has not been run."""

    experiment: Experiment
    tables: Tables | None
    judged: list[Judged]

    @cached_property
    def by_depth(self) -> pd.DataFrame:
        """What the picture shows."""
        return pd.DataFrame() if self.tables is None else figure.by_depth(self.experiment, self.tables)

    @property
    def is_drawn(self) -> bool:
        """Whether there are at least two depths to draw."""
        return len(self.by_depth) > 0 and self.by_depth["blocks"].nunique() > 1

    @property
    def counts(self) -> str:
        """`3 held, 1 not held`."""
        if not self.judged:
            return "nothing published"
        found = Counter(one.verdict for one in self.judged)
        return ", ".join(f"{found[verdict]} {verdict}" for verdict in Verdict if found[verdict])


def write_page(docs: Path) -> Path:
    """Write `reproductions.md` from the tables in the folder `reproductions` next to it, and the pictures there."""
    page, tables = docs / "reproductions.md", docs / "reproductions"
    page.write_text(page_text(tables), encoding="utf-8")
    for section in sections(tables):
        if section.is_drawn:
            figure.save(section.by_depth, tables / section.experiment.study)
    return page


def sections(folder: Path) -> list[Section]:
    """Every experiment, with the tables that the folder has for it."""
    return [_section(experiment, read(folder / experiment.study)) for experiment in experiments()]


def page_text(folder: Path) -> str:
    """The page as Markdown.

    Args:
        folder: has one folder of tables per study that has been run.
    """
    found = sections(folder)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATE),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = environment.get_template("page.md").render(
        balance=_balance([one.verdict for section in found for one in section.judged]),
        overview=markdown_rows(_overview(found)),
        rules=list(RULES.values()),
        sections=[_shown(section) for section in found],
    )
    return re.sub(r"\n{3,}", "\n\n", text).rstrip("\n") + "\n"


def _balance(verdicts: Sequence[Verdict]) -> str:
    """`Of 37 published values and orderings: 12 held, 3 not held, 22 not run.`"""
    found = Counter(verdicts)
    counts = ", ".join(f"{found[verdict]} {verdict}" for verdict in Verdict if found[verdict])
    return f"Of {len(verdicts)} published values and orderings: {counts}."


def _section(experiment: Experiment, tables: Tables | None) -> Section:
    return Section(experiment, tables, [_judged(claim, tables) for claim in experiment.claims])


def _judged(claim: Claim, tables: Tables | None) -> Judged:
    values = list(by_seed(claim, tables).values()) if tables else []
    verdict = judge(claim, values)
    failed = tables is not None and verdict in (Verdict.NOT_HELD, Verdict.UNDECIDED)
    said = [seed_by_seed(claim, values)] if verdict == Verdict.UNDECIDED else []
    said += [evidence(claim, tables, values)] if failed and tables else []
    why = "; ".join(text.rstrip(".") for text in said if text)
    return Judged(claim, values, verdict, f"{why}." if why else "")


def _overview(sections: Sequence[Section]) -> Table:
    rows = []
    for section in sections:
        facts = section.tables.facts if section.tables else {}
        minutes, commit = facts.get("minutes", NOT_RUN), ", ".join(one[:10] for one in each(facts.get("commit", "")))
        rows.append([section.experiment.title, section.counts, _runs(section), minutes, commit])
    headers = ["experiment", "claims", "runs", "minutes of training", "commit"]
    return Table(caption="", headers=headers, rows=rows)


def _runs(section: Section) -> str:
    if section.tables is None:
        return NOT_RUN
    return f"{len(section.tables.finished)} of {len(section.tables.runs)}"


def _shown(section: Section) -> dict[str, Any]:
    """What the template needs for an experiment."""
    headers = ["claim", "published", "measured: mean [95 % interval]", "n", "verdict"]
    rows = [
        [one.claim.text, published(one.claim), estimate(one.claim, one.values), str(len(one.values)), one.verdict]
        for one in section.judged
    ]
    return {
        "experiment": section.experiment,
        "facts": section.tables.facts if section.tables else None,
        "commands": [f"`{one}`" for one in each(section.tables.facts["command"])] if section.tables else [],
        "picture": f"reproductions/{section.experiment.study}/{figure.NAME}" if section.is_drawn else "",
        "claims": markdown_rows(Table(caption="", headers=headers, rows=rows)) if rows else "",
        "measured": markdown_rows(measured_table(section.tables)) if section.tables else "",
        "runs": _runs(section),
        "missing": _missing(section.tables.runs) if section.tables else [],
        "reasons": [(one.claim.text, one.why) for one in section.judged if one.why],
        "failed": any(one.verdict == Verdict.NOT_HELD for one in section.judged),
        "is_jpeg": "jpeg" in section.tables.facts["differs"].lower() if section.tables else False,
    }


def _missing(runs: pd.DataFrame) -> list[str]:
    """`sigmoid at 8 blocks, seeds 1, 2: not run`, of the runs that the preset asks for and that have not finished."""
    unfinished = runs[runs["state"] != State.FINISHED]
    found: dict[tuple[str, str], list[str]] = {}
    for row in unfinished.to_dict("records"):
        found.setdefault((_configuration(row), row["state"]), []).append(str(row["seed"]))
    return [
        f"{configuration}, seed{'s' if len(seeds) > 1 else ''} {', '.join(seeds)}: {state}"
        for (configuration, state), seeds in found.items()
    ]


def _configuration(row: Mapping[Any, Any]) -> str:
    if pd.isna(row["blocks"]):
        return str(row["activation"])
    return f"{row['activation']} at {row['blocks']:g} block{'' if row['blocks'] == 1 else 's'}"


def markdown_rows(table: Table) -> str:
    """A GitHub table without its caption."""
    return markdown(table).partition("\n\n")[2].rstrip("\n")
