"""The small tables that the page is made from: `docs/reproductions/<study>/study.csv, runs.csv, epochs.csv`."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gradflow.runs.record import State

FACTS, RUNS, EPOCHS = "study.csv", "runs.csv", "epochs.csv"
NEWEST = "left_out"  # a fact about the runs that were collected last
SEPARATOR = "; "  # between the values of a fact that differs from run to run
DIGITS = "%.8g"  # float32 has seven


@dataclass(frozen=True)
class Tables:
    """What the page keeps from a study.

    Attributes:
        facts: where its numbers come from, as text by name.
        runs: one row per run of the preset, finished or not: activation, blocks (empty where the preset does not vary
            them), seed, state, and the metrics of run.json.
        epochs: one row per epoch of a finished run: activation, blocks, seed, epoch from 1, and the curves.
    """

    facts: dict[str, str]
    runs: pd.DataFrame
    epochs: pd.DataFrame

    @property
    def finished(self) -> pd.DataFrame:
        """The rows of `runs` that have a result."""
        return self.runs[self.runs["state"] == State.FINISHED]


def write(folder: Path, tables: Tables) -> None:
    """Write the tables of a study into its folder, which may already exist."""
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(list(tables.facts.items()), columns=["what", "value"]).to_csv(folder / FACTS, index=False)
    tables.runs.to_csv(folder / RUNS, index=False, float_format=DIGITS)
    tables.epochs.to_csv(folder / EPOCHS, index=False, float_format=DIGITS)


def read(folder: Path) -> Tables | None:
    """The tables of a study; None if it has none yet."""
    if not (folder / FACTS).exists():
        return None
    facts = pd.read_csv(folder / FACTS, dtype=str, keep_default_na=False)
    return Tables(
        dict(zip(facts["what"], facts["value"], strict=True)),
        pd.read_csv(folder / RUNS),
        pd.read_csv(folder / EPOCHS),
    )


def together(before: Tables, new: Tables) -> Tables:
    """The new tables, with the finished runs of the earlier tables that the new ones lack.

    If the two were trained with different settings, they are not mixed: those with more finished runs remain.
    """
    if before.facts["differs"] != new.facts["differs"]:
        return max(new, before, key=lambda tables: len(tables.finished))
    added = before.finished[~_keys(before.finished).isin(_keys(new.finished))]
    if added.empty:
        return new
    replaced = _keys(new.runs).isin(_keys(added))
    runs = pd.concat([new.runs[~replaced], added]).set_axis(range((~replaced).sum() + len(added)))
    order = list(dict.fromkeys([*_keys(new.runs), *_keys(added)]))
    epochs = before.epochs[_keys(before.epochs).isin(_keys(added))]
    return Tables(
        {name: _both(name, before.facts[name], text, added) for name, text in new.facts.items()},
        runs.sort_values(by="seed", key=lambda _: _keys(runs).map(order.index)).reset_index(drop=True),
        pd.concat([new.epochs, epochs], ignore_index=True),
    )


def _keys(rows: pd.DataFrame) -> pd.Series:
    """One key per row, the same for all rows of a run."""
    keys = [f"{one.activation} {pd.to_numeric(one.blocks):g} {one.seed}" for one in rows.itertuples()]
    return pd.Series(keys, index=rows.index, dtype=object)


def _both(name: str, before: str, new: str, added: pd.DataFrame) -> str:
    if name == "minutes":
        return f"{float(new) + added['minutes'].sum():.1f}"
    if name == "elapsed_minutes":  # covers one stretch of time; how far two stretches overlap is not known
        return ""
    if name == "date":
        return max(before, new)
    return new if name == NEWEST else several([*each(before), *each(new)])


def several(values: Iterable[object]) -> str:
    """The text of a fact that may differ between runs: every distinct value once."""
    return SEPARATOR.join(dict.fromkeys(map(str, values)))


def each(fact: str) -> list[str]:
    """The distinct values of a fact."""
    return fact.split(SEPARATOR)
