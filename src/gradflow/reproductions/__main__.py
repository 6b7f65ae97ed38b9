"""`python -m gradflow.reproductions [STUDIES]`: keep what finished studies measured, and write the page from it."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from gradflow import CONF, command_line, invocation
from gradflow.errors import ConfigError
from gradflow.reproductions.collect import collect
from gradflow.reproductions.page import write_page
from gradflow.reproductions.published import experiments
from gradflow.reproductions.stored import read, together, write
from gradflow.terminal import say

DOCS = docs if (docs := CONF.parent / "docs").is_dir() else Path("docs")  # of a checkout, or where the user stands
SIX_LAYERS = "six_layers"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    return command_line.run(lambda: _write(options))


def _write(options: argparse.Namespace) -> None:
    if not options.docs.is_dir():
        raise ConfigError(f"--docs={options.docs}: no such folder; name the one that holds the page, e.g. docs")
    if options.studies is not None:
        _keep_studies(options.studies, options.docs / "reproductions")
    say(f"page: {write_page(options.docs)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=invocation.tool("reproductions"), description=command_line.purpose(__doc__))
    parser.add_argument(
        "studies",
        nargs="?",
        type=command_line.folder,
        help="folder of studies, e.g. outputs; by default, only the kept tables are used",
    )
    parser.add_argument(
        "--docs", type=command_line.folder, default=DOCS, help="where reproductions.md and its tables are"
    )
    return parser


def _keep_studies(studies: Path, kept: Path) -> None:
    """Update the tables of every study that has finished runs; kept runs that are no longer in the folder stay."""
    if not studies.is_dir():
        raise ConfigError(f"{studies}: no such folder; name the one that holds the studies, e.g. outputs")
    for experiment in experiments():
        folder = studies / experiment.study
        if experiment.study == SIX_LAYERS:
            _keep_measurement(kept / SIX_LAYERS)
        elif (tables := collect(folder)) is not None:
            before = read(kept / experiment.study)
            tables = tables if before is None else together(before, tables)
            if tables is before:
                say(
                    f"{experiment.study}: {folder} has other settings but not more runs; its tables are unchanged",
                    style="yellow",
                )
                continue
            write(kept / experiment.study, tables)
            say(f"{experiment.study}: {len(tables.finished)} of {len(tables.runs)} runs kept")
        else:
            say(f"{experiment.study}: no finished run in {folder}; its tables are unchanged", style="yellow")


def _keep_measurement(folder: Path) -> None:
    """Measure the signal through six layers; if the numbers have not changed, they keep their provenance."""
    from gradflow.reproductions.six_layers import measure  # needs torch, which the page does not

    tables, before = measure(), read(folder)
    schemes = tables.runs.select_dtypes("float").columns
    if before is None or (before.runs[schemes] - tables.runs[schemes]).abs().max().max() > 1e-6:
        write(folder, tables)
        say(f"{SIX_LAYERS}: measured")


if __name__ == "__main__":
    sys.exit(main())
