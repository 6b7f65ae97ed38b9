"""The small tables that the page is made of: `docs/reproductions/<study>/study.csv, runs.csv, epochs.csv`."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gradflow.runs.record import State

FACTS, RUNS, EPOCHS = "study.csv", "runs.csv", "epochs.csv"
NEWEST = "left_out"  # a fact of the runs that were collected last
SEPARATOR = "; "  # of a fact that differs from run to run
DIGITS = "%.8g"  # float32 has seven


@dataclass(frozen=True)
class Tables:
    """What the page keeps of a study.

    Attributes:
        facts: where its numbers come from, as text by name.
        runs: one row a run of the preset, finished or not: activation, blocks (empty where the preset does not vary
            them), seed, state, and the metrics of run.json.
        epochs: one row an epoch of a finished run: activation, blocks, seed, epoch from 1, and the curves.
    """

    facts: dict[str, str]
    runs: pd.DataFrame
    epochs: pd.DataFrame

    @property
    def finished(self) -> pd.DataFrame:
        """The rows of `runs` that have a result."""
        return self.runs[self.runs["state"] == State.FINISHED]


def write(folder: Path, tables: Tables) -> None:
    """Write the tables of a study into its folder, which may be there already."""
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
    """The new tables, and of those that were kept before the finished runs that the new ones do not have.

    Where the two were trained with different settings they are not mixed: the ones with more finished runs remain.
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
    """One text a row, the same for the rows of one run."""
    keys = [f"{one.activation} {pd.to_numeric(one.blocks):g} {one.seed}" for one in rows.itertuples()]
    return pd.Series(keys, index=rows.index, dtype=object)


def _both(name: str, before: str, new: str, added: pd.DataFrame) -> str:
    if name == "minutes":
        return f"{float(new) + added['minutes'].sum():.1f}"
    if name == "elapsed_minutes":  # of one stretch of time; how much of it several shared is not known
        return ""
    if name == "date":
        return max(before, new)
    return new if name == NEWEST else several([*each(before), *each(new)])


def several(values: Iterable[object]) -> str:
    """The text of a fact that need not be the same for all runs: every different value once."""
    return SEPARATOR.join(dict.fromkeys(map(str, values)))


def each(fact: str) -> list[str]:
    """The different values of a fact."""
    return fact.split(SEPARATOR)
