"""What one job of a launcher trains: one run after the other, or several seeds of a configuration together."""

import json
import os
import signal
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import hydra
from lightning.pytorch.utilities.exceptions import SIGTERMException
from omegaconf import DictConfig

from gradflow import runfile
from gradflow.process import flushing, process_settings
from gradflow.run import run
from gradflow.together import Together

JOB = (
    "GRADFLOW_JOB"  # environment variable, JSON: the job's run folders and which of how many runs the first of them is
)


def described(groups: Sequence[Sequence[Path]], *, first: int, of: int) -> str:
    """The value of `JOB` for a job of a sweep.

    Args:
        groups: run folders; the groups are trained one after the other, those of a group together.
        first: which run of the sweep the first of them is.
        of: how many runs the sweep has.
    """
    names = [[f"{folder.parent.name}/{folder.name}" for folder in group] for group in groups]
    return json.dumps({"groups": names, "first": first, "of": of})


def run_job(cfg: DictConfig, folder: Path) -> dict[str, Any]:
    """Train the job's runs; the final run.json of the first.

    Args:
        cfg: the composed configuration of the first run.
        folder: its run folder.

    Raises:
        Exception: what the first run that failed raised, once all have ended.
        SystemExit: with 143, if SIGTERM ended a run.
    """
    study = folder.parent.parent
    job = json.loads(os.environ.get(JOB, "null")) or {"groups": [[folder.relative_to(study)]], "first": 1, "of": 1}
    position = job["first"]
    failures: list[Exception] = []
    for group in job["groups"]:
        folders = [study / name for name in group]
        own = cfg if folder in folders else _composed(folders[0])
        try:
            _run_group(own, folders, [f"run {position + i}/{job['of']}" for i in range(len(folders))])
        except SIGTERMException as error:
            _queue_again()
            # Lightning's has no status, and would end a launcher that gets it from its worker as if all were done.
            raise SystemExit(128 + signal.SIGTERM) from error
        except Exception as error:
            failures.append(error)
        position += len(folders)
    if failures:
        raise failures[0]
    return runfile.read(folder) or {}


def _queue_again() -> None:
    """Do what submitit does on its own signal: put the job back into the queue and leave.

    A cluster that takes a job's node away may send nothing but SIGTERM. submitit ignores it, but Lightning ends the run
    in good order, after which Slurm would take the job for done. Elsewhere nobody listens to SIGUSR2.
    """
    if callable(signal.getsignal(signal.SIGUSR2)):
        signal.raise_signal(signal.SIGUSR2)


def _composed(folder: Path) -> DictConfig:
    """The configuration of another planned run, as the sweep composed it."""
    record = runfile.read(folder)
    assert record is not None, f"{folder} was not planned"
    return hydra.compose("train", overrides=record["overrides"])


def _run_group(cfg: DictConfig, folders: Sequence[Path], positions: Sequence[str]) -> None:
    with process_settings(cfg):
        if len(folders) == 1:
            run(cfg, folders[0], position=positions[0])
            return
        together = Together()
        runs = [
            (folder.name, partial(_run_seed, cfg, folder, position, together))
            for folder, position in zip(folders, positions, strict=True)
        ]
        with flushing(cfg.flush_denormal):  # in this thread, which makes the updates
            raised = together.run(runs)
    for error in raised:
        if error is not None:
            raise error


def _run_seed(cfg: DictConfig, folder: Path, position: str, together: Together) -> None:
    own = cfg.copy()
    own.seed = int(folder.name.removeprefix("seed="))
    run(own, folder, position=position, together=together)
