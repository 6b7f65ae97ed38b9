"""`python -m gradflow.evaluate RUN [RUN ...] [data=... data.path=...]`: trained networks on their data or on others."""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from gradflow import command_line, invocation, terminal
from gradflow.errors import ConfigError
from gradflow.evaluate import show
from gradflow.evaluate.chosen_data import PARTS, check_fits, check_overrides, chosen_data, rows_of, trained_on
from gradflow.evaluate.score import Result, scores
from gradflow.runs import folders
from gradflow.runs.record import State
from gradflow.study.records import study_runs
from gradflow.sweep.cli import one_line
from gradflow.training.load import TrainedRun, network_of, trained_run
from gradflow.training.process import process_settings

OVERRIDE = re.compile(r"(?:\+\+?|~)?data(?:_dir)?[.=@]")  # everything else is a folder, whose name has a = too


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    return command_line.run(lambda: _evaluate(options))


def _evaluate(options: argparse.Namespace) -> None:
    overrides = [one for one in options.runs if isinstance(one, str)]
    named = [one for one in options.runs if isinstance(one, Path)]
    terminal.configure()
    if not named:
        raise ConfigError("RUN: missing; name a run folder, e.g. outputs/digits_conv/activation=relu,blocks=4/seed=0")
    try:
        check_overrides(overrides)
        runs = _runs(named)
        if options.output is not None:
            show.check_file(options.output, [run.folder for run in runs])
        with terminal.console.status("testing"):
            results = [_result(run, overrides, options) for run in runs]
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(one_line(error)) from error
    terminal.show(show.table(results))
    if options.output is not None:
        show.write(options.output, results)
        terminal.say(f"written: {options.output}")


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


def _runs(named: Sequence[Path]) -> list[TrainedRun]:
    """The named runs, and the finished ones of named configurations and studies."""
    found: dict[Path, TrainedRun] = {}
    for folder in named:
        inside = [] if (folder / folders.RUN_FILE).exists() else _finished(folder)
        for run in inside or [folder]:
            found[run.resolve()] = trained_run(run)
    return list(found.values())


def _finished(folder: Path) -> list[Path]:
    """The finished runs of a configuration or a study; the others are named in a line."""
    is_configuration = any(folder.glob(f"{folders.seed_folder('*')}/{folders.RUN_FILE}"))
    study = folder.absolute().parent if is_configuration else folder
    records = [one for one in study_runs(study) if not is_configuration or one["config"] == folder.absolute().name]
    done = [one for one in records if one["state"] == State.FINISHED]
    if len(done) < len(records):
        terminal.say(
            f"{folder}: {len(records) - len(done)} of {len(records)} runs are not finished; left out", "yellow"
        )
    base = folder.parent if is_configuration else folder
    return [base / one["config"] / folders.seed_folder(one["seed"]) for one in done]


def _result(run: TrainedRun, overrides: Sequence[str], options: argparse.Namespace) -> Result:
    with process_settings(run.cfg):
        network = network_of(run, epoch=options.epoch, device=options.device, trust=options.trust, remedy="--trust")
        data, cfg = chosen_data(run, overrides, trust=options.trust)
        name = str(cfg.get("name"))
        check_fits(run, network.preparation, data, name)
        rows = rows_of(data, options.split)
        seen = trained_on(run, data, cfg, rows)
        return Result(run, network.epoch, name, options.split, len(rows), seen, scores(network, data, rows))


if __name__ == "__main__":
    sys.exit(main())
