"""`python -m gradflow.study FOLDER [status|average|compare|report]`: what a study shows; by default, all four."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from gradflow import command_line, invocation
from gradflow.errors import ConfigError
from gradflow.runs.record import Record
from gradflow.study.closing_table import closing_table
from gradflow.study.records import study_with_runs
from gradflow.study.status import status_table
from gradflow.terminal import page, say, say_whole, show
from gradflow.wrapping import Wrapped

if TYPE_CHECKING:
    from gradflow.study.comparison.tuning import Tuning


def main(arguments: Sequence[str] | None = None, *, command: str | None = None) -> int:
    """The command line, of which `command` may be known already; returns the exit status."""
    options = _parser(command).parse_args(arguments)
    return command_line.run(lambda: _show_all(options))


def _show_all(options: argparse.Namespace) -> None:
    if options.output is not None and options.command in NEEDS_NO_OUTPUT:
        raise ConfigError(f"--output {options.output}: no effect, {options.command} only prints")
    records = study_with_runs(options.folder)
    for command in [options.command] if options.command else COMMANDS:
        COMMANDS[command](options, records)


def _parser(command: str | None) -> argparse.ArgumentParser:
    purpose = PURPOSES[command] if command else command_line.purpose(__doc__)
    parser = argparse.ArgumentParser(prog=invocation.tool(command or "study"), description=purpose)
    parser.add_argument("folder", type=command_line.folder, help="the study's folder, e.g. outputs/digits_conv")
    if command is None:
        parser.add_argument(
            "command", nargs="?", choices=list(COMMANDS), help="one of the four; by default, all of them"
        )
    else:
        parser.set_defaults(command=command)
    parser.add_argument("--baseline", help="the activation to compare with; by default relu, if the study has it")
    parser.add_argument(
        "--output",
        type=command_line.folder,
        metavar="FOLDER",
        help="where to write averages and report, if not into the study, e.g. because it is somebody else's",
    )
    parser.add_argument("--metric", help="the metric to compare; by default the study's headline")
    parser.add_argument(
        "--tune",
        metavar="KEY",
        help="first choose the best value of this swept key, e.g. optimizer.lr, per activation and depth",
    )
    parser.add_argument(
        "--tuning-seeds",
        type=_seeds,
        default=[0, 1],
        metavar="0,1",
        help="seeds to choose it on, by default 0,1; the others test it",
    )
    return parser


def _seeds(text: str) -> list[int]:
    return [int(seed) for seed in text.split(",")]


def _status(options: argparse.Namespace, records: list[Record]) -> None:
    show(status_table(options.folder, records))


def _average(options: argparse.Namespace, records: list[Record]) -> None:
    from gradflow.study.averages import average_study

    written = average_study(options.folder, records, output=options.output)
    count = "1 configuration" if len(written) == 1 else f"{len(written)} configurations"
    say(f"averaged the seeds of {count} into {options.output or options.folder}/*/mean")


def _compare(options: argparse.Namespace, records: list[Record]) -> None:
    from gradflow.study.comparison.compare import compare
    from gradflow.study.comparison.more_seeds import more_seeds
    from gradflow.study.comparison.overall import overall
    from gradflow.study.comparison.table import comparison_table

    show(closing_table(records))
    tuning = _tuning(options, records)
    comparisons = compare(records, baseline=options.baseline, metric=options.metric, tuning=tuning)
    show(comparison_table(comparisons))
    verdict = overall(comparisons)
    for sentence in verdict.plain:
        show(Wrapped(Text(sentence, "bold")))
    for sentence in verdict.details:
        show(Wrapped(sentence))
    if (more := more_seeds(records, comparisons, study=options.folder, tuned=tuning is not None)) is not None:
        show(Wrapped(more.text))
        if more.command:
            say_whole(f"  {more.command}")
        show(Wrapped(more.caution))


def _report(options: argparse.Namespace, records: list[Record]) -> None:
    from gradflow.report.write import write_report

    if options.metric is not None:
        records = [{**record, "headline": options.metric} for record in records]
    tuning = _tuning(options, records)
    written = write_report(options.folder, records, baseline=options.baseline, tuning=tuning, output=options.output)
    say_whole(Text("report: ") + page(written))


def _tuning(options: argparse.Namespace, records: list[Record]) -> "Tuning | None":
    from gradflow.study.comparison.tuning import tune

    return tune(records, key=options.tune, tuning_seeds=options.tuning_seeds) if options.tune else None


COMMANDS: dict[str, Callable[[argparse.Namespace, list[Record]], None]] = {
    "status": _status,
    "average": _average,
    "compare": _compare,
    "report": _report,
}

PURPOSES = {
    "status": "The runs of a study by state, and the time left.",
    "average": "Average the seeds of each configuration of a study, as curves for TensorBoard.",
    "compare": "Compare the activations of a study, paired by seed, with a verdict.",
    "report": "Write the report of a study: one page, its figures and tables.",
}

NEEDS_NO_OUTPUT = ("status", "compare")

if __name__ == "__main__":
    sys.exit(main())
