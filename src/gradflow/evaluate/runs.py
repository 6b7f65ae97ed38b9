"""What the command line of `gradflow.evaluate` does: find the runs, test each, show and write the results."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from gradflow import terminal
from gradflow.errors import ConfigError
from gradflow.evaluate import show
from gradflow.evaluate.chosen_data import check_fits, check_overrides, chosen_data, rows_of, trained_on
from gradflow.evaluate.score import Result, scores
from gradflow.runs import folders
from gradflow.runs.record import State
from gradflow.study.records import study_runs
from gradflow.sweep.cli import one_line
from gradflow.training.load import TrainedRun, network_of, trained_run
from gradflow.training.process import process_settings


def evaluate(options: argparse.Namespace) -> None:
    """Test the runs that the command line names.

    Raises:
        ConfigError: for what cannot be tested; nothing has been written then.
    """
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
