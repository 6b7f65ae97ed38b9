"""Several runs at a time on one GPU: how much more they train together than one does alone, with and without MPS."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import gpu_mps
import gpu_worker
import processes
from gpu_findings import Cell, Table
from gpu_runs import QUIET, conv, mlp
from gpu_settings import Settings, Work, python_path

WARM_UP_S = 2.5  # from an order to the first step that counts
READY_WITHIN_S = 90.0
TARGET = 3.0  # times as long as one, for all seeds at a time
MPS_FOLDER = "mps"  # in that of the part
CONV, MLP = 0, 1  # which of a worker's trainings
SWEEP = ("trainer.max_epochs=5", "threads=1", *QUIET)


class Workers:
    """Processes that train when they are told to.

    Args:
        settings: of the part.
        count: how many.
        environment: variables that they get besides.
    """

    def __init__(self, settings: Settings, count: int, environment: dict[str, str]) -> None:
        size = settings.size
        deepest = conv(settings, size.images, blocks=size.depths[-1], precision="bf16")
        command = processes.script("gpu_worker.py", *deepest, *QUIET, "--", *mlp(settings), *QUIET)
        own = {"PYTHONPATH": python_path(), "OMP_NUM_THREADS": "1"}
        self._window_s = size.window_s
        self._warm_up_s = WARM_UP_S if settings.device == "cuda" else 1.0
        self._log = (settings.folder / "workers.log").open("a")
        self._all = [
            subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                text=True,
                env=os.environ | own | environment,
            )
            for _ in range(count)
        ]

    def wait(self) -> None:
        """Until all have trained once."""
        for worker in self._all:
            self._answer(worker, gpu_worker.READY)

    def rates(self, training: int, together: int) -> list[float]:
        """Steps per second of so many of them, which train at the same time."""
        begin = time.time() + self._warm_up_s
        for worker in self._all[:together]:
            assert worker.stdin is not None
            worker.stdin.write(f"{training} {begin} {begin + self._window_s}\n")
            worker.stdin.flush()
        return [float(self._answer(worker, gpu_worker.RATE)) for worker in self._all[:together]]

    def _answer(self, worker: subprocess.Popen[str], start: str) -> str:
        assert worker.stdout is not None
        for line in worker.stdout:
            if line.startswith(start):
                return line.removeprefix(start)
        said = Path(self._log.name).read_text().strip().splitlines()
        raise RuntimeError(f"a process ended with status {worker.wait()}: {said[-1] if said else 'no word'}")

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._all:
            worker.kill()
            worker.communicate()
        self._log.close()


def together(settings: Settings) -> Iterator[Table]:
    """Runs of the deepest conv stack, and seeds of the MLP, at a time; without MPS, then with it."""
    rows: dict[int, list[list[Cell]]] = {CONV: [], MLP: []}
    alone: dict[int, float] = {}  # without MPS
    for with_mps in (False, True):
        if with_mps and not _may_use_mps(settings):
            continue
        with ExitStack() as stack:
            environment = stack.enter_context(gpu_mps.running(settings.folder / MPS_FOLDER)) if with_mps else {}
            workers = stack.enter_context(Workers(settings, settings.size.seeds, environment))
            workers.wait()
            for training, counts in ((MLP, (1, settings.size.seeds)), (CONV, settings.size.at_a_time)):
                for count in counts:
                    rates = workers.rates(training, count)
                    one = alone.setdefault(training, rates[0])
                    rows[training].append(_row(with_mps, rates, one))
                    yield _table(settings, training, rows[training])


def _may_use_mps(settings: Settings) -> bool:
    if settings.device != "cuda" or not gpu_mps.is_installed():
        why = f"there is no {gpu_mps.CONTROL} here" if settings.device == "cuda" else "a CPU has none"
        settings.findings.leave_out(f"MPS: not available, {why}")
        return False
    return settings.has_time_for("several processes with MPS", 60)


def _row(with_mps: bool, rates: Sequence[float], alone: float) -> list[Cell]:
    total = sum(rates)
    slowdown = alone * len(rates) / total
    return ["yes" if with_mps else "no", len(rates), total, total / alone, slowdown]


def _table(settings: Settings, training: int, rows: list[list[Cell]]) -> Table:
    size = settings.size
    name = f"conv stack, {size.depths[-1]} blocks, bf16" if training == CONV else "MLP of `mnist_adam`, float32"
    columns = ["MPS", "processes", "steps per second, all", "times one alone without MPS", "each takes longer, times"]
    note = f"Steps of all processes in the same {size.window_s:g} s of training, monitors on, one CPU thread each."
    if training == CONV:
        return Table(f"Runs at a time on the one device: {name}", columns, rows, note)
    reached = [[*row, "yes" if isinstance(row[4], float) and row[4] <= TARGET else "no"] for row in rows]
    under = f"all within {TARGET:g} times one"
    return Table(f"Seeds at a time on the one device: {name}", [*columns, under], reached, note)


def sweep(settings: Settings) -> Iterator[Table]:
    """The same seeds as one command with joblib, against one seed, both from start to end."""
    rows: list[list[Cell]] = []
    if not settings.size.sweeps:
        settings.findings.leave_out("a sweep by joblib: not in the miniature")
        return
    for count in (1, settings.size.seeds):
        overrides = [one for one in mlp(settings) if not one.startswith("seed=")]
        seeds = ",".join(map(str, range(count)))
        launcher = ("hydra/launcher=joblib", f"hydra.launcher.n_jobs={count}") if count > 1 else ()
        own = (f"seed={seeds}", *SWEEP, *launcher)
        folder = settings.folder / f"sweep {count}"
        command = [sys.executable, "train.py", "-m", *overrides, *own, f"output_dir='{folder}'"]
        seconds = processes.run(command, threads=None, environment={"PYTHONPATH": python_path()}).seconds
        first = rows[0][1] if rows else seconds
        assert isinstance(first, float)
        rows.append([count, seconds, seconds / first])
        note = (
            "`hydra/launcher=joblib`, five epochs, from the command to its table: start-up of every process included."
        )
        yield Table("Seeds of the MLP by gradflow's own sweep", ("seeds", "seconds", "times one seed"), rows, note)


WORK: list[tuple[str, float, Work]] = [
    ("several processes on one device", 40, together),
    ("a sweep by joblib", 45, sweep),
]
