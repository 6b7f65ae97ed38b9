"""`python -m gradflow.advise STUDY`: what is wrong with the networks of a study, by stated rules, and what helps."""

import argparse
import sys
from collections.abc import Sequence

from rich.console import RenderableType

from gradflow import command_line, invocation
from gradflow.advise.findings import advise
from gradflow.advise.show import as_markdown, on_screen, rules_as_markdown, rules_on_screen
from gradflow.errors import ConfigError, printable
from gradflow.study.records import study_with_runs
from gradflow.terminal import show


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    return command_line.run(lambda: _advise(options))


def _advise(options: argparse.Namespace) -> None:
    if options.rules:
        _show(rules_as_markdown() if options.markdown else rules_on_screen())
        return
    if options.folder is None:
        raise ConfigError("STUDY: missing; a study is a folder such as outputs/digits_conv")
    records = study_with_runs(options.folder)
    advice = advise(options.folder, records, baseline=options.baseline, metric=options.metric)
    _show(as_markdown(advice) if options.markdown else on_screen(advice))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=invocation.tool("advise"), description=command_line.purpose(__doc__))
    parser.add_argument("folder", nargs="?", type=command_line.folder, metavar="STUDY", help="e.g. outputs/digits_conv")
    parser.add_argument("--rules", action="store_true", help="print the rules with thresholds, sources and remedies")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.add_argument("--baseline", help="the activation to compare with; by default relu, if the study has it")
    parser.add_argument("--metric", help="the metric to compare; by default the study's headline")
    return parser


def _show(what: str | RenderableType) -> None:
    """Markdown is not wrapped to the width of the terminal."""
    if isinstance(what, str):
        sys.stdout.write(printable(what))
    else:
        show(what)


if __name__ == "__main__":
    sys.exit(main())
