"""`python -m gradflow.lesson`: build the interactive lesson (one page that opens from disk) and its pictures."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from gradflow import command_line, garbage, invocation, threads
from gradflow.errors import ConfigError
from gradflow.lesson.experiments.effort import FULL, QUICK
from gradflow.terminal import page, say, say_whole


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    typed = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(typed)
    return command_line.run(lambda: _build(options, typed))


def _build(options: argparse.Namespace, typed: Sequence[str]) -> None:
    if options.seed < 0:
        raise ConfigError(f"--seed {options.seed}: a seed must be at least 0, e.g. --seed 0")
    threads.let_wait_asleep()
    with garbage.uncollected():
        from gradflow.lesson.build import build  # torch and altair take seconds; --help need not wait

    effort = None if options.live_only else QUICK if options.quick else FULL
    command = invocation.tool("lesson", *typed)
    built = build(options.output, effort=effort, seed=options.seed, command=command, say=say)
    say_whole(Text("lesson: ") + page(built))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=invocation.tool("lesson"), description=command_line.purpose(__doc__))
    parser.add_argument("--output", type=command_line.folder, default=Path("outputs/lesson"), help="folder to write to")
    parser.add_argument("--seed", type=int, default=0, help="first of the seeds to average")
    parser.add_argument(
        "--quick", action="store_true", help="fewer seeds, epochs and depths, for a first look at the page"
    )
    parser.add_argument(
        "--live-only",
        action="store_true",
        help="only what runs in the page itself: built in seconds, under 400 kB, to put on a web server",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
