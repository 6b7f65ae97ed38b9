"""What one job of a launcher trains: one run after another."""

import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import hydra
from lightning.pytorch.utilities.exceptions import SIGTERMException
from omegaconf import DictConfig

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


def run_job(cfg: DictConfig, folder: Path) -> Record | None:
    """Train the job's runs; return the final run.json of the first.

    Args:
        cfg: the composed configuration of the first run.
        folder: its run folder.

    Raises:
        Exception: what the first failing run raised, once all have ended.
        SystemExit: with 143, if SIGTERM ended a run.
    """
    job = json.loads(os.environ.get(JOB, "null")) or {"runs": ["."], "first": 1, "of": 1}
    failures: list[Exception] = []
    for number, name in enumerate(job["runs"], start=job["first"]):
        own_folder = Path(os.path.normpath(folder / name))
        own = cfg if own_folder == folder else _composed(own_folder)
        try:
            with process_settings(own):
                run(own, own_folder, position=f"run {number}/{job['of']}")
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


def _composed(folder: Path) -> DictConfig:
    """The configuration of another planned run, as the sweep composed it."""
    record = read_record(folder)
    assert record is not None, f"{folder} was not planned"
    return hydra.compose("train", overrides=record["overrides"])


def jobs(runs: Sequence[PlannedRun]) -> list[list[PlannedRun]]:
    """The runs grouped into jobs, in order: a job takes runs until it has `runs_per_job` of them."""
    found: list[list[PlannedRun]] = []
    for planned in runs:
        if not found or len(found[-1]) >= planned.runs_per_job:
            found.append([])
        found[-1].append(planned)
    return found
