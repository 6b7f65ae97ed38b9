"""Sweeps through a real Slurm: the same results as without, whatever happens to their jobs."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from one_node_slurm import answer, wait_until

from gradflow import CONF
from gradflow.runs.events import curves
from gradflow.runs.record import State

pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
pytestmark = [pytest.mark.slurm, pytest.mark.slow]

SMALL = ("width=8", "trainer=cpu", "threads=1", "callbacks.pictures=null")
EPOCHS = 40
LONG = (*SMALL, "model=conv", "blocks=2", f"trainer.max_epochs={EPOCHS}")
ON_SLURM = (
    *("hydra/launcher=slurm", "hydra.launcher.partition=debug", "hydra.launcher.cpus_per_task=1"),
    *("hydra.launcher.mem_gb=2", "hydra.launcher.timeout_min=30", "hydra.launcher.signal_delay_s=20"),
)


def resting(seconds: float) -> tuple[str, ...]:
    """At least EPOCHS times so long, however fast the machine is: time to be stopped on the way."""
    return ("+callbacks.rest._target_=slow_training.Rest", f"+callbacks.rest.seconds={seconds}")


def train(folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.Popen:
    command = [sys.executable, str(CONF.parent / "train.py"), *arguments]  # into folder/outputs
    folder.mkdir(exist_ok=True)
    paths = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": paths} | (environment or {})
    with (folder / "screen.txt").open("a") as screen:
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=screen, stderr=screen)


def runs(folder: Path) -> dict[str, Path]:
    return {str(run.relative_to(folder)): run for run in sorted(folder.glob("outputs/*/*/seed=*"))}


def record(run: Path) -> dict:
    return json.loads((run / "run.json").read_text())


def state(folder: Path) -> str | None:
    """Of the only run."""
    found = [record(run)["state"] for run in runs(folder).values() if (run / "run.json").exists()]
    return found[0] if found else None


def has_begun(folder: Path) -> bool:
    """Whether the only run is being trained and has finished an epoch."""
    return state(folder) == State.RUNNING and any(folder.glob("outputs/*/*/seed=*/checkpoints/last.ckpt"))


def outcome(run: Path) -> dict:
    points = {tag: (curve.steps.tolist(), curve.values.tolist()) for tag, curve in curves(run).items()}
    return {"metrics": record(run)["metrics"], "curves": points}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Path:
    """The long run as it ends when nothing happens to it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    assert train(folder, *LONG).wait() == 0
    return folder


def same_as(undisturbed: Path, folder: Path) -> None:
    assert state(folder) == State.FINISHED
    (one,), (other,) = runs(folder).values(), runs(undisturbed).values()
    assert outcome(one) == outcome(other)


def test_every_launcher_gives_the_same_metrics(slurm, tmp_path):
    sweep = ("-m", *SMALL, "model=mlp", "activation=relu,tanh,sigmoid", "seed=0,1", "runs_per_job=2")
    sweep += ("trainer.max_epochs=2",)
    launchers = {
        "basic": (),
        "joblib": ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2"),
        "submitit_local": ("hydra/launcher=submitit_local", "hydra.launcher.cpus_per_task=1"),
        "slurm": ON_SLURM,
    }
    for name, options in launchers.items():
        assert train(tmp_path / name, *sweep, *options, environment=slurm).wait() == 0, name
    metrics = {
        name: {run: record(path)["metrics"] for run, path in runs(tmp_path / name).items()} for name in launchers
    }
    assert len(metrics["basic"]) == 6
    for name in launchers:
        assert metrics[name] == metrics["basic"], name


def test_a_preempted_run_is_queued_again_and_ends_as_if_nothing_had_happened(slurm, tmp_path, undisturbed):
    sweep = train(tmp_path, *LONG, *resting(0.5), *ON_SLURM, environment=slurm)
    assert wait_until(lambda: has_begun(tmp_path), seconds=150)
    urgent = answer(
        slurm, "sbatch", "--parsable", "-p", "urgent", "--exclusive", "--wrap", "sleep 1", "-o", "/dev/null"
    )
    assert wait_until(lambda: state(tmp_path) == State.INTERRUPTED, seconds=150), (tmp_path / "screen.txt").read_text()
    assert sweep.wait(timeout=300) == 0
    answer(slurm, "scancel", urgent.strip())
    (run,) = runs(tmp_path).values()
    assert record(run)["attempts"] == 2
    same_as(undisturbed, tmp_path)


def test_a_run_that_outlasts_its_time_limit_is_queued_again(slurm, tmp_path, undisturbed):
    # The signal comes up to 30 s early, when Slurm looks at its jobs' limits: after 30 to 60 s.
    limit = ("hydra.launcher.timeout_min=2", "hydra.launcher.signal_delay_s=60")
    sweep = train(tmp_path, *LONG, *resting(80 / EPOCHS), *ON_SLURM, *limit, environment=slurm)
    assert sweep.wait(timeout=600) == 0, (tmp_path / "screen.txt").read_text()
    (run,) = runs(tmp_path).values()
    assert record(run)["attempts"] >= 2
    same_as(undisturbed, tmp_path)


def test_a_job_that_is_killed_without_warning_is_told_and_can_be_resumed(slurm, tmp_path, undisturbed):
    sweep = train(tmp_path, *LONG, *resting(0.5), *ON_SLURM, environment=slurm)
    assert wait_until(lambda: has_begun(tmp_path), seconds=150)
    (run,) = runs(tmp_path).values()
    for process in answer(slurm, "pgrep", "-f", str(tmp_path / "outputs")).split():
        if int(process) != sweep.pid:
            os.kill(int(process), signal.SIGKILL)
    assert sweep.wait(timeout=200) == 1
    status = [sys.executable, "-m", "gradflow.study", str(run.parent.parent), "status"]
    assert "interrupted" in subprocess.run(status, capture_output=True, text=True, check=False).stdout
    assert train(tmp_path, f"resume={run.parent.parent}").wait() == 0
    same_as(undisturbed, tmp_path)


def test_the_command_may_be_left_while_its_jobs_go_on(slurm, tmp_path, undisturbed):
    sweep = train(tmp_path, *LONG, *resting(0.5), *ON_SLURM, environment=slurm)
    assert wait_until(lambda: has_begun(tmp_path), seconds=150)
    sweep.send_signal(signal.SIGHUP)  # its terminal is closed
    assert sweep.wait(timeout=10) != 0
    begun = time.monotonic()
    assert wait_until(lambda: state(tmp_path) == State.FINISHED, seconds=200), time.monotonic() - begun
    same_as(undisturbed, tmp_path)
