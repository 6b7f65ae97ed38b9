"""Real processes: signals from a terminal and from the system end them all, and lose nothing that they had computed."""

import os
import signal
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from finished_runs import left_by, record, records, run_folders, states
from interruptions import pause
from own_processes import processes_with, start
from waiting import PATIENCE_S, wait_until

from gradflow.runs.record import State

pytestmark = pytest.mark.slow

SMALL = ("model=mlp", "blocks=1", "width=4", "threads=1", "callbacks.pictures=null", "trainer.max_epochs=3")
JOBLIB = ("-m", "trainer=cpu", "activation=relu,tanh", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
DDP = ("trainer=ddp", "trainer.accelerator=cpu")
LAUNCHERS = {
    "one run": ("trainer=cpu",),
    "ddp": DDP,
    "joblib": JOBLIB,
    "submitit_local": ("-m", "trainer=cpu", "activation=relu,tanh", "hydra/launcher=submitit_local"),
}


class Sweep:
    """A command in a process group of its own, as a terminal starts it."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder, self._mark = folder, f"MARK={uuid.uuid4().hex}"
        environment = dict([self._mark.split("=")])
        with (folder / "screen.txt").open("w") as screen:
            out = {"stdout": screen, "stderr": screen, "start_new_session": True}
            self.process: subprocess.Popen = start(folder, *arguments, environment=environment, **out)

    @property
    def screen(self) -> str:
        return (self.folder / "screen.txt").read_text()

    def waits(self, runs: int) -> bool:
        """Until so many runs have finished an epoch."""
        checkpoints = "outputs/*/*/seed=*/checkpoints/last.ckpt"
        return wait_until(lambda: len(list(self.folder.glob(checkpoints))) == runs, process=self.process)

    def is_gone(self) -> bool:
        return wait_until(lambda: not processes_with(self._mark))

    def worker(self) -> int:
        """One of the processes that train."""
        found = subprocess.run(["pgrep", "-s", str(self.process.pid), "-f", "LokyProcess"], stdout=subprocess.PIPE)
        return int(found.stdout.split()[0])


@pytest.fixture
def sweep(tmp_path) -> Iterator:
    """`sweep(*arguments)`: a command whose runs wait before their second epoch until the file `go` is there."""
    started = []

    def launch(*arguments: str) -> Sweep:
        started.append(Sweep(tmp_path, *arguments, *SMALL, *pause(1, until=tmp_path / "go")))
        return started[-1]

    yield launch
    for one in started:
        if one.process.poll() is None:
            os.killpg(one.process.pid, signal.SIGKILL)
            one.process.wait()


def goes_on(folder: Path, command, *arguments: str) -> None:
    """The same command trains what is left, from the epochs that are there."""
    (folder / "go").touch()
    outcome = command(*arguments, *SMALL, *pause(1, until=folder / "go"))
    assert outcome.status == 0, outcome
    assert "resuming after epoch 1" in outcome.out
    assert set(states(folder)) == {State.FINISHED}


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_two_quick_ctrl_c_end_everything(sweep, command, tmp_path, launcher):
    running = sweep(*LAUNCHERS[launcher])
    assert running.waits(1 if launcher in ("one run", "ddp") else 2), running.screen
    for _ in range(2):
        os.killpg(running.process.pid, signal.SIGINT)
    # The second may come when Python has given up its handlers already; a shell shows 130 for both.
    assert running.process.wait(timeout=PATIENCE_S) in (130, -signal.SIGINT), running.screen
    assert running.is_gone()
    assert set(states(tmp_path)) == {State.INTERRUPTED}
    alone = [one for one in LAUNCHERS[launcher] if "launcher" not in one]
    goes_on(tmp_path, command, *alone)


@pytest.mark.parametrize("arguments", [JOBLIB, DDP], ids=["joblib", "ddp"])
def test_no_process_outlives_a_killed_command(sweep, tmp_path, arguments):
    running = sweep(*arguments)
    assert running.waits(2 if arguments == JOBLIB else 1), running.screen
    running.process.kill()
    running.process.wait()
    assert running.is_gone()
    assert set(states(tmp_path)) <= {State.INTERRUPTED, State.RUNNING}


def test_a_killed_worker_costs_no_run(sweep, command_in, tmp_path):
    running = sweep(*JOBLIB)
    assert running.waits(2), running.screen
    os.kill(running.worker(), signal.SIGKILL)
    again = "a worker was killed; 2 runs are launched again"
    assert wait_until(lambda: again in running.screen, process=running.process), running.screen
    (tmp_path / "go").touch()
    assert running.process.wait(timeout=PATIENCE_S) == 0, running.screen
    assert "Traceback" not in running.screen
    assert [found["attempts"] for found in records(tmp_path).values()] == [2, 2]
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    (undisturbed / "go").touch()
    plain = [one for one in JOBLIB if "launcher" not in one]
    assert command_in(undisturbed, *plain, *SMALL, *pause(1, until=tmp_path / "go")).status == 0
    for run in run_folders(undisturbed):
        assert record(tmp_path / run.relative_to(undisturbed))["state"] == State.FINISHED
        assert left_by(tmp_path / run.relative_to(undisturbed)) == left_by(run)
