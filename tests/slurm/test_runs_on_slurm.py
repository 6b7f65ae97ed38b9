"""Sweeps through a real Slurm: the same results as without, whatever happens to their jobs."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from finished_runs import left_by, only_run, record, records, states
from interruptions import pause
from one_node_slurm import answer
from own_processes import start
from waiting import PATIENCE_S, wait_until

from gradflow.runs.record import State

pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
pytestmark = [pytest.mark.slurm, pytest.mark.slow]

SMALL = ("width=8", "trainer=cpu", "threads=1", "callbacks.pictures=null")
LONG = (*SMALL, "model=conv", "blocks=2", "trainer.max_epochs=4")
ON_SLURM = (
    *("hydra/launcher=slurm", "hydra.launcher.partition=debug", "hydra.launcher.cpus_per_task=1"),
    *("hydra.launcher.mem_gb=2", "hydra.launcher.timeout_min=30", "hydra.launcher.signal_delay_s=20"),
)


def train(folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.Popen:
    folder.mkdir(exist_ok=True)
    with (folder / "screen.txt").open("a") as screen:
        return start(folder, *arguments, environment=environment, stdout=screen, stderr=screen)


def screen(folder: Path) -> str:
    return (folder / "screen.txt").read_text()


def paused(folder: Path) -> tuple[str, ...]:
    """The run waits before its third epoch until the file `go` is in this folder."""
    return pause(2, until=folder / "go")


def waits(folder: Path) -> bool:
    """Whether the only run is being trained and has finished an epoch."""
    return states(folder) == [State.RUNNING] and any(folder.glob("outputs/*/*/seed=*/checkpoints/last.ckpt"))


def metrics(folder: Path) -> dict[str, dict]:
    """Run folder -> its final metrics."""
    return {str(run.relative_to(folder)): found["metrics"] for run, found in records(folder).items()}


@pytest.fixture(scope="module")
def undisturbed(command_in, tmp_path_factory) -> Path:
    """The long run as it ends when nothing happens to it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    assert command_in(folder, *LONG).status == 0
    return only_run(folder)


def same_as(undisturbed: Path, folder: Path) -> None:
    assert states(folder) == [State.FINISHED]
    assert left_by(only_run(folder)) == left_by(undisturbed)


def test_every_launcher_gives_the_same_metrics(command_in, slurm, tmp_path):
    sweep = ("-m", *SMALL, "model=mlp", "activation=relu,tanh,sigmoid", "runs_per_job=2", "trainer.max_epochs=2")
    launchers = {
        "joblib": ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2"),
        "submitit_local": ("hydra/launcher=submitit_local", "hydra.launcher.cpus_per_task=1"),
        "slurm": ON_SLURM,
    }
    assert command_in(tmp_path, *sweep).status == 0
    expected = metrics(tmp_path)
    assert len(expected) == 3
    for name, options in launchers.items():
        folder = tmp_path / name
        assert train(folder, *sweep, *options, environment=slurm).wait() == 0, screen(folder)
        assert metrics(folder) == expected, name


def is_in_attempt(number: int, folder: Path) -> bool:
    return waits(folder) and record(only_run(folder))["attempts"] == number


def job_of(slurm: dict[str, str]) -> str:
    """The id of the only job."""
    (job,) = answer(slurm, "squeue", "--noheader", "--format=%i").split()
    return job


def preempt(slurm: dict[str, str]) -> None:
    """Submit a job that takes the node away."""
    answer(slurm, "sbatch", "-p", "urgent", "--exclusive", "--wrap", "sleep 1", "-o", "/dev/null")


def with_slow_scontrol(slurm: dict[str, str], folder: Path) -> dict[str, str]:
    """The environment with an `scontrol` that hears Slurm's answer late, as on a busy node."""
    found = shutil.which("scontrol", path=slurm["PATH"])
    (folder / "bin").mkdir()
    (folder / "bin" / "scontrol").write_text(f'#!/bin/sh\n{found} "$@"; status=$?; sleep 3; exit $status\n')
    (folder / "bin" / "scontrol").chmod(0o755)
    return slurm | {"PATH": f"{folder / 'bin'}:{slurm['PATH']}"}


def test_a_run_that_is_preempted_twice_is_queued_again_and_ends_as_if_nothing_had_happened(
    slurm, tmp_path, undisturbed
):
    environment = with_slow_scontrol(slurm, tmp_path)
    sweep = train(tmp_path, *LONG, *paused(tmp_path), *ON_SLURM, environment=environment)
    for attempt in (1, 2):
        assert wait_until(lambda attempt=attempt: is_in_attempt(attempt, tmp_path), process=sweep), screen(tmp_path)
        preempt(slurm)
        assert wait_until(lambda: states(tmp_path) == [State.INTERRUPTED], process=sweep), screen(tmp_path)
    (tmp_path / "go").touch()
    assert sweep.wait(timeout=2 * PATIENCE_S) == 0
    assert record(only_run(tmp_path))["attempts"] == 3
    same_as(undisturbed, tmp_path)


@pytest.mark.parametrize(
    "command",
    [("scontrol", "requeue"), ("scancel", "--signal=TERM")],
    ids=["queued again from outside", "announced by SIGTERM alone"],
)
def test_a_run_that_has_to_leave_twice_is_queued_again_once_each_time(slurm, tmp_path, undisturbed, command):
    sweep = train(tmp_path, *LONG, *paused(tmp_path), *ON_SLURM, environment=slurm)
    for attempt in (1, 2):
        assert wait_until(lambda attempt=attempt: is_in_attempt(attempt, tmp_path), process=sweep), screen(tmp_path)
        answer(slurm, *command, job_of(slurm))
        assert wait_until(lambda: states(tmp_path) == [State.INTERRUPTED], process=sweep), screen(tmp_path)
    (tmp_path / "go").touch()
    assert sweep.wait(timeout=2 * PATIENCE_S) == 0, screen(tmp_path)
    assert record(only_run(tmp_path))["attempts"] == 3
    assert "Traceback" not in screen(tmp_path)
    same_as(undisturbed, tmp_path)


def test_a_cancelled_run_stays_cancelled_until_the_same_command_goes_on_with_it(slurm, tmp_path, undisturbed):
    run = (*LONG, *paused(tmp_path), *ON_SLURM)
    sweep = train(tmp_path, *run, environment=slurm)
    assert wait_until(lambda: is_in_attempt(1, tmp_path), process=sweep), screen(tmp_path)
    job = job_of(slurm)
    answer(slurm, "scancel", job)
    assert sweep.wait(timeout=PATIENCE_S) == 1
    assert states(tmp_path) == [State.INTERRUPTED]
    assert answer(slurm, "squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T").split() == [
        "CANCELLED"
    ]
    assert "(state: CANCELLED)" in screen(tmp_path)
    assert "Traceback" not in screen(tmp_path)
    (tmp_path / "go").touch()
    assert train(tmp_path, *run, environment=slurm).wait(timeout=PATIENCE_S) == 0, screen(tmp_path)
    same_as(undisturbed, tmp_path)


def test_a_run_that_outlasts_its_time_limit_is_queued_again(slurm, tmp_path, undisturbed):
    # The signal comes up to 30 s early, when Slurm looks at its jobs' limits: after 30 to 60 s.
    limit = ("hydra.launcher.timeout_min=2", "hydra.launcher.signal_delay_s=60")
    sweep = train(tmp_path, *LONG, *paused(tmp_path), *ON_SLURM, *limit, environment=slurm)
    assert wait_until(lambda: states(tmp_path) == [State.INTERRUPTED], process=sweep), screen(tmp_path)
    (tmp_path / "go").touch()
    assert sweep.wait(timeout=2 * PATIENCE_S) == 0, screen(tmp_path)
    assert record(only_run(tmp_path))["attempts"] >= 2
    same_as(undisturbed, tmp_path)


def test_a_job_that_is_killed_without_warning_is_told_and_can_be_resumed(slurm, tmp_path, undisturbed):
    sweep = train(tmp_path, *LONG, *paused(tmp_path), *ON_SLURM, environment=slurm)
    assert wait_until(lambda: waits(tmp_path), process=sweep)
    for process in answer(slurm, "pgrep", "-f", str(tmp_path / "outputs")).split():
        if int(process) != sweep.pid:
            os.kill(int(process), signal.SIGKILL)
    assert sweep.wait(timeout=PATIENCE_S) == 1
    study = only_run(tmp_path).parent.parent
    status = [sys.executable, "-m", "gradflow.study", str(study), "status"]
    assert "interrupted" in subprocess.run(status, capture_output=True, text=True, check=False).stdout
    (tmp_path / "go").touch()
    assert train(tmp_path, f"resume={study}", "trust=true").wait() == 0
    same_as(undisturbed, tmp_path)


def test_the_command_may_be_left_while_its_jobs_go_on(slurm, tmp_path, undisturbed):
    sweep = train(tmp_path, *LONG, *paused(tmp_path), *ON_SLURM, environment=slurm)
    assert wait_until(lambda: waits(tmp_path), process=sweep)
    sweep.send_signal(signal.SIGHUP)  # its terminal is closed
    assert sweep.wait(timeout=PATIENCE_S) != 0
    assert states(tmp_path) == [State.RUNNING]
    (tmp_path / "go").touch()
    assert wait_until(lambda: states(tmp_path) == [State.FINISHED]), screen(tmp_path)
    same_as(undisturbed, tmp_path)
