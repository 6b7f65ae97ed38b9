"""What one job of a launcher trains: one run after another."""

import copy
import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gradflow import signals
from gradflow.errors import ConfigError, RunsFailed
from gradflow.runs.planned import planned_configuration
from gradflow.runs.record import Record, read_record
from gradflow.sweep.live import said_into
from gradflow.training.process import free_gpu, process_settings
from gradflow.training.run import run

if TYPE_CHECKING:
    from gradflow.sweep.plan import PlannedRun

# Environment variable, JSON: the job's run folders relative to the first, the first one's number in the sweep, how many
# runs the sweep has, and the file for what a worker prints while the sweep is displayed.
JOB = "GRADFLOW_JOB"


def described(folders: Sequence[Path], *, first: int, of: int, says: Path | None = None) -> str:
    """The value of `JOB` for a job of a sweep.

    Args:
        folders: run folders, trained one after the other.
        first: the number of the first of them in the sweep, counted from 1.
        of: how many runs the sweep has.
        says: where a worker of this process prints; None for the screen.
    """
    runs = [os.path.relpath(folder, folders[0]) for folder in folders]  # perhaps in several studies
    return json.dumps({"runs": runs, "first": first, "of": of, "says": says and str(says)})


def run_job(folder: Path) -> Record | None:
    """Train the job's runs, each as it was planned; return the final run.json of the first.

    Args:
        folder: the run folder of the first.

    Raises:
        ConfigError: outside a sweep.
        Exception: what the first failing run raised, once all have ended; `RunsFailed` if no launcher could pass it on.
        Signalled: if a signal ended a run. The worker of a pool dies by that signal instead.
    """
    if JOB not in os.environ:
        raise ConfigError("hydra.mode=RUN: gradflow plans every run, as a sweep of one if need be; leave it out")
    signals.end_with_parent()
    with signals.listening() as listener:
        try:
            with said_into(_says()):
                return _run_all(folder)
        except signals.Signalled as error:
            ending, told = error, listener.told
    if told == signal.SIGUSR2 or (told == signal.SIGTERM and _is_about_to_lose_its_node()):
        _ask_to_be_queued_again()
    if told is not None and multiprocessing.parent_process() is not None:
        signals.die_by(told)  # otherwise it would take the pool's next job
    raise ending


def _says() -> Path | None:
    """Where this process prints, if it is a worker of the one that displays the sweep."""
    said = json.loads(os.environ[JOB])["says"]
    return Path(said) if said and multiprocessing.parent_process() is not None else None


def _run_all(folder: Path) -> Record | None:
    job = json.loads(os.environ[JOB])
    failures: list[Exception] = []
    for number, name in enumerate(job["runs"], start=job["first"]):
        own_folder = Path(os.path.normpath(folder / name))
        try:
            cfg = planned_configuration(own_folder)
            with process_settings(cfg):
                run(cfg, own_folder, position=f"run {number}/{job['of']}")
        except Exception as error:
            _forget_variables(error)
            failures.append(error)
        free_gpu()
    if failures:
        raise _passed_on(failures[0])
    return read_record(folder)


def _forget_variables(error: BaseException | None) -> None:
    """Let go of the network and the data of a run that has failed: its memory may be what the next one needs."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def _passed_on(error: Exception) -> Exception:
    """The error, or what it says where it cannot be pickled and made anew: a pool that fails to would be lost."""
    try:
        pickle.dumps(error)
        copy.copy(error)  # made anew from its arguments, as the pool does
    except Exception:  # whatever somebody's class raises
        return RunsFailed(f"{type(error).__name__}: {error}")
    return error


def _ask_to_be_queued_again() -> None:
    """Call submitit's handler, which runs `scontrol requeue` and exits.

    Slurm obeys at once and tells every process of the job to end, `scontrol` too. Were that to die before it has
    heard Slurm's answer, the job would be queued again and yet reported as failed. A process that is started inherits
    what is ignored.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.raise_signal(signal.SIGUSR2)


def _is_about_to_lose_its_node() -> bool:
    """Whether this is a job that Slurm still counts as running although SIGTERM has come.

    So is announced that its node will be taken away, after the partition's GraceTime: a job that ends by itself
    meanwhile counts as done, and has to ask to be queued again. In all other cases Slurm has decided what becomes of
    the job before it sends SIGTERM: scancel cancels it; `scontrol requeue`, preemption without a grace and the failure
    of a node have queued it again.
    """
    job = os.environ.get("SLURM_JOB_ID")
    if job is None or not callable(signal.getsignal(signal.SIGUSR2)):
        return False
    command = ["squeue", "--noheader", f"--jobs={job}", "--format=%T"]
    return subprocess.run(command, capture_output=True, text=True).stdout.split() == ["RUNNING"]


def jobs(runs: "Sequence[PlannedRun]") -> "list[list[PlannedRun]]":
    """The runs grouped into jobs, in order: a job takes runs until it has `runs_per_job` of them."""
    found: list[list[PlannedRun]] = []
    for planned in runs:
        if not found or len(found[-1]) >= planned.runs_per_job:
            found.append([])
        found[-1].append(planned)
    return found
