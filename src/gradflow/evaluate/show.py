"""Results as a table on the screen and as a file."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gradflow.errors import ConfigError
from gradflow.evaluate.score import Result
from gradflow.runs import folders, tags
from gradflow.study.closing_table import mean_and_sd

WORDS = {tags.ACC: "accuracy", tags.F1: "macro F1", tags.LABEL_ACC: "label accuracy", tags.EXACT_MATCH: "exact match"}
SUFFIXES = (".csv", ".json")


def table(results: Sequence[Result]) -> RenderableType:
    """One row per run, and one with mean and standard deviation below several seeds of a configuration."""
    names = list(dict.fromkeys(name for result in results for name in result.scores))
    made = Table()
    made.add_column("configuration", overflow="fold")
    for column in ("seed", "epoch", "samples", *(WORDS.get(name, name) for name in names)):
        made.add_column(column, justify="right", no_wrap=True)
    for configuration in dict.fromkeys(result.run.folder.parent for result in results):
        own = [result for result in results if result.run.folder.parent == configuration]
        for number, one in enumerate(own):
            title = one.run.record["config"] if number == 0 else ""
            values = (_number(one.scores[name]) if name in one.scores else "-" for name in names)
            made.add_row(Text(title), str(one.run.record["seed"]), str(one.epoch), f"{one.samples:,}", *values)
        if len(own) > 1:
            made.add_row("", "mean ± sd", "", "", *(_mean_and_sd(own, name) for name in names), style="bold")
        made.add_section()
    where = ", ".join(dict.fromkeys(f"{result.data}, {_part(result.part)}" for result in results))
    return Group(Text(where), made, *_warnings(results))


def _part(part: str) -> str:
    return "all samples" if part == "all" else f"{part} set"


def _number(value: float) -> str:
    return f"{value:.4f}"


def _mean_and_sd(results: Sequence[Result], name: str) -> str:
    values = [result.scores[name] for result in results if name in result.scores]
    if not values:
        return "-"
    mean, sd = mean_and_sd(values)
    return _number(mean) if math.isnan(sd) else f"{_number(mean)} ± {_number(sd)}"


def _warnings(results: Sequence[Result]) -> list[Text]:
    """Scores on samples of the training set say nothing about others."""
    worst = max(results, key=lambda result: result.trained_on)
    if not worst.trained_on:
        return []
    run = f"{worst.run.record['config']}/{folders.seed_folder(worst.run.record['seed'])}"
    return [Text(f"{worst.trained_on:,} of the {worst.samples:,} samples are in the training set of {run}", "yellow")]


def check_file(file: Path, runs: Sequence[Path]) -> None:
    """Refuse a file that cannot be written, or that would lie in a run folder.

    Raises:
        ConfigError: saying why.
    """
    if file.suffix not in SUFFIXES:
        raise ConfigError(f"--output={file}: name a file that ends in {' or '.join(SUFFIXES)}")
    if not file.absolute().parent.is_dir():
        raise ConfigError(f"--output={file}: there is no folder {file.parent}; create it, or choose another")
    if any(file.absolute().resolve().is_relative_to(run.resolve()) for run in runs):
        raise ConfigError(f"--output={file}: this is a run folder, which stays as its run has left it; choose another")


def write(file: Path, results: Sequence[Result]) -> None:
    """One row per run: which run, which samples, its scores."""
    rows: list[dict[str, Any]] = [
        {
            "folder": str(result.run.folder),
            **{key: result.run.record[key] for key in ("study", "config", "activation", "blocks", "seed")},
            **{key: getattr(result, key) for key in ("epoch", "data", "part", "samples", "trained_on")},
            **result.scores,
        }
        for result in results
    ]
    frame = pd.DataFrame(rows)
    if file.suffix == ".csv":
        text = frame.to_csv(index=False)
    else:  # pandas would round
        text = json.dumps(frame.astype(object).where(frame.notna(), None).to_dict("records"), indent=2)
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--output={file}: cannot be written ({error.strerror}); choose another file") from error
