"""The small tables that the page is made of: `docs/reproductions/<study>/study.csv, runs.csv, epochs.csv`."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gradflow import runfile

FACTS, RUNS, EPOCHS = "study.csv", "runs.csv", "epochs.csv"
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
        return self.runs[self.runs["state"] == runfile.FINISHED]


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
