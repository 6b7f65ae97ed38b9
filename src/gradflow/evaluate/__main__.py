"""`python -m gradflow.evaluate RUN [RUN ...] [data=... data.path=...]`: trained networks on their data or on others."""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from gradflow import command_line, garbage, invocation, threads

OVERRIDE = re.compile(r"(?:\+\+?|~)?data(?:_dir)?[.=@]")  # everything else is a folder, whose name has a = too
PARTS = ("test", "validation", "train", "all")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    threads.let_wait_asleep()
    with garbage.uncollected():
        from gradflow.evaluate.runs import evaluate  # torch and Lightning take seconds; --help need not wait

    return command_line.run(lambda: evaluate(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=invocation.tool("evaluate"), description=command_line.purpose(__doc__))
    parser.add_argument(
        "runs",
        nargs="+",
        type=_run_or_override,
        metavar="RUN",
        help="a run folder; or a configuration's or a study's, for its finished runs; and overrides of the group data",
    )
    parser.add_argument("--split", choices=PARTS, default="test", help="which part of the data; by default, test")
    parser.add_argument("--epoch", choices=("best", "last"), default="best", help="by default, what validation chose")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, ...; by default cpu")
    parser.add_argument(
        "--output", type=command_line.folder, metavar="FILE", help="also write the results to FILE.csv or FILE.json"
    )
    parser.add_argument(
        "--trust",
        action="store_true",
        help="run code that a run folder names, whoever it is from, to build its network",
    )
    return parser


def _run_or_override(typed: str) -> Path | str:
    return typed if OVERRIDE.match(typed) else command_line.folder(typed)


if __name__ == "__main__":
    sys.exit(main())
