"""What one job of a launcher trains: one run after another."""

import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from lightning.pytorch.utilities.exceptions import SIGTERMException

from gradflow.errors import ConfigError
from gradflow.runs.planned import planned_configuration
from gradflow.runs.record import Record, read_record
from gradflow.sweep.plan import PlannedRun
from gradflow.training.process import process_settings
from gradflow.training.run import run

# Environment variable, JSON: the job's run folders relative to the first, the first one's number in the sweep, and how
# many runs the sweep has.
JOB = "GRADFLOW_JOB"


def described(folders: Sequence[Path], *, first: int, of: int) -> str:
    """The value of `JOB` for a job of a sweep.

    Args:
        folders: run folders, trained one after the other.
        first: the number of the first of them in the sweep, counted from 1.
        of: how many runs the sweep has.
    """
    runs = [os.path.relpath(folder, folders[0]) for folder in folders]  # perhaps in several studies
    return json.dumps({"runs": runs, "first": first, "of": of})


def run_job(folder: Path) -> Record | None:
    """Train the job's runs, each as it was planned; return the final run.json of the first.

    Args:
        folder: the run folder of the first.

    Raises:
        ConfigError: outside a sweep.
        Exception: what the first failing run raised, once all have ended.
        SystemExit: with 143, if SIGTERM ended a run.
    """
    if JOB not in os.environ:
        raise ConfigError("hydra.mode=RUN: gradflow plans every run, as a sweep of one if need be; leave it out")
    job = json.loads(os.environ[JOB])
    failures: list[Exception] = []
    for number, name in enumerate(job["runs"], start=job["first"]):
        own_folder = Path(os.path.normpath(folder / name))
        try:
            cfg = planned_configuration(own_folder)
            with process_settings(cfg):
                run(cfg, own_folder, position=f"run {number}/{job['of']}")
        except SIGTERMException as error:
            _queue_again()
            # Lightning's has no status: a launcher that got it from a worker would exit as if all runs were done.
            raise SystemExit(128 + signal.SIGTERM) from error
        except Exception as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return read_record(folder)


def _queue_again() -> None:
    """Do what submitit does on its own signal: requeue the job and exit.

    A cluster that takes a job's node away may send only SIGTERM. submitit ignores it, but Lightning ends the run
    cleanly, after which Slurm would consider the job done. Elsewhere nothing handles SIGUSR2.
    """
    if callable(signal.getsignal(signal.SIGUSR2)):
        signal.raise_signal(signal.SIGUSR2)


def jobs(runs: Sequence[PlannedRun]) -> list[list[PlannedRun]]:
    """The runs grouped into jobs, in order: a job takes runs until it has `runs_per_job` of them."""
    found: list[list[PlannedRun]] = []
    for planned in runs:
        if not found or len(found[-1]) >= planned.runs_per_job:
            found.append([])
        found[-1].append(planned)
    return found
