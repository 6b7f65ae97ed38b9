"""Whether runs on a GPU behave as on a CPU: passive monitors, resuming, memory, one command from end to end."""

import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import lightning as L
import processes
import torch
from gpu_findings import Check
from gpu_runs import DETERMINISTIC, FREE, QUIET, Stopped, Trained, conv, train
from gpu_settings import Settings, Work, python_path

from gradflow.callbacks.monitor import Monitor
from gradflow.runs.provenance import device_name
from gradflow.runs.record import Record, read_record
from gradflow.training.load import data_of, load_network, trained_run

os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # for deterministic products, before the first one on a GPU
STEPS = 3  # of an epoch
EXACT = "the same operations in the same order, deterministic algorithms"
SEEDS = (0, 1, 2)
OF_STALLS = 0.15  # of the steps: every 32nd and every 50th may wait, and an epoch's ends


def passive(settings: Settings) -> Iterator[Check]:
    """The same weights with all monitors and without any."""
    size = settings.size
    sets = {
        "conv stack with recomputed batch normalisation": (
            *conv(settings, STEPS * size.batch, blocks=2, precision="bf16"),
            "batch_norm=recomputed",
        ),
        "MLP with dropout": (settings.trainer, "model=mlp", "width=64", "model.dropout=0.3", "data.batch_size=120"),
    }
    for name, overrides in sets.items():
        same = (*overrides, DETERMINISTIC, "trainer.max_epochs=2")
        watched = train(settings, f"watched {name}", (*same, *QUIET))
        alone = train(settings, f"alone {name}", (*same, "callbacks=none"))
        yield Check(f"{name}: weights that monitors change", _differing(watched, alone), 0, EXACT)


def _differing(one: Trained, other: Trained) -> int:
    """How many entries of two runs' final weights and statistics differ in any bit."""
    assert one.after.keys() == other.after.keys()
    return sum(int((one.after[name] != other.after[name]).sum()) for name in one.after)


def resumed(settings: Settings) -> Iterator[Check]:
    """A run that is stopped after its first epoch and goes on ends as one that was not."""
    overrides = (
        *conv(settings, STEPS * settings.size.batch, blocks=2),
        *("model.dropout=0.2", "schedule=cosine", DETERMINISTIC, "trainer.max_epochs=3", *QUIET),
    )
    whole = train(settings, "whole", overrides)
    try:
        train(settings, "resumed", (*overrides, "+callbacks.stop._target_=gpu_runs.StopsAfter"))
    except Stopped:
        pass
    else:
        raise AssertionError("the run was not stopped")
    again = train(settings, "resumed", overrides, resume=True)
    yield Check("a stopped run that goes on: weights that differ", _differing(whole, again), 0, EXACT)
    off = max(abs(again.scores[tag] - score) for tag, score in whole.scores.items())
    yield Check("a stopped run that goes on: test scores", off, 0.0, EXACT)


def distributed(settings: Settings) -> Iterator[Check]:
    """trainer=ddp with one device."""
    overrides = (*conv(settings, STEPS * settings.size.batch, blocks=2), DETERMINISTIC, "trainer.max_epochs=2", *QUIET)
    alone = train(settings, "alone", overrides)
    group = ("trainer=ddp", "trainer.devices=1", f"trainer.accelerator={alone.parts.trainer.strategy.root_device.type}")
    found = train(settings, "distributed", (*overrides, *group))
    yield Check(
        "trainer=ddp trainer.devices=1: weights that differ from trainer=gpu", _differing(alone, found), 0, EXACT
    )


class Stalls(Monitor):
    """Counts how often the steps of the second epoch wait for the GPU."""

    sees_chunks = True

    def __init__(self) -> None:
        self.share = 0.0
        self._steps = 0
        self._recording = warnings.catch_warnings(record=True)
        self._caught: list[warnings.WarningMessage] | None = None

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if trainer.current_epoch == 1 and pl_module.device.type == "cuda":
            self._steps = trainer.global_step
            self._caught = self._recording.__enter__()
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self._caught is not None:
            torch.cuda.set_sync_debug_mode("default")
            self._recording.__exit__(None, None, None)
            waits = sum("synchroniz" in str(one.message) for one in self._caught)
            self.share = waits / (trainer.global_step - self._steps)
            self._caught = None


def stalls(settings: Settings) -> Iterator[Check]:
    """A step leaves the GPU to itself: none of its numbers is waited for."""
    overrides = (*conv(settings, 100 * settings.size.batch, blocks=1), FREE, "trainer.max_epochs=2", *QUIET)
    run = train(settings, "stalls", (*overrides, "+callbacks.stalls._target_=gpu_behaviour.Stalls"))
    (counted,) = (one for one in run.parts.monitors if isinstance(one, Stalls))
    yield Check(
        "share of steps that wait for the GPU (0 on a CPU)", counted.share, OF_STALLS, "one in 32, one in 50, and ends"
    )


def compiled(settings: Settings) -> Iterator[Check]:
    """compile=true: the same training up to rounding, and units are still seen."""
    if not settings.size.compiles:
        settings.findings.leave_out("compile=true: the miniature does not compile")
        return
    overrides = (
        *conv(settings, STEPS * settings.size.batch, blocks=2),
        FREE,
        "optimizer=sgd",
        "trainer.max_epochs=1",
        *QUIET,
    )
    plain, found = (train(settings, f"compile={on}", (*overrides, f"compile={on}")) for on in ("false", "true"))
    off = float((found.update - plain.update).norm() / plain.update.norm())
    yield Check("compile=true: change of all weights together", off, 5e-3, "as float32 against float64")
    missing = len(plain.values.keys() - found.values.keys())
    yield Check("compile=true: curves that are missing", missing, 0, "the same monitors")


class Memory(Monitor):
    """Notes the bytes that torch holds on the GPU at the beginning of every run.

    Args:
        file: gets a line for each.
    """

    def __init__(self, file: str) -> None:
        self._file = Path(file)

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        if stage == "validate":  # before the first update, once in a run
            with self._file.open("a") as file:
                file.write(f"{torch.cuda.memory_allocated()}\n")


def whole_command(settings: Settings) -> Iterator[Check]:
    """`train.py -m seed=0,1,2` on the embedded digits, from the checks before it to the networks after it."""
    folder = settings.folder / "command"
    memory = folder / "memory.txt"
    folder.mkdir(parents=True)
    own = ("+callbacks.memory._target_=gpu_behaviour.Memory", f"+callbacks.memory.file='{memory}'")
    sweep = ("model=mlp", f"seed={','.join(map(str, SEEDS))}", "trainer.max_epochs=2", *QUIET, *own)
    command = [sys.executable, "train.py", "-m", settings.trainer, *sweep, f"output_dir='{folder}'"]
    processes.run(command, threads=None, environment={"PYTHONPATH": python_path()})
    runs = sorted(file.parent for file in folder.glob("**/run.json"))
    records = [found for found in map(read_record, runs) if found is not None]
    unfinished = len(SEEDS) - sum(record["state"] == "finished" for record in records)
    yield Check("seeds of one command that did not finish", unfinished, 0, "all do")
    name = device_name(torch.device(settings.device))
    elsewhere = sum(record["provenance"]["device"] != name for record in records)
    yield Check("runs whose run.json names another device", elsewhere, 0, "all name it")
    held = [int(line) for line in memory.read_text().split()]
    yield Check("bytes that a run finds taken by the runs before it", max(held) - held[0], 0, "each frees what it took")
    yield from _loaded(settings, runs[0], records[0])


def _loaded(settings: Settings, folder: Path, record: Record) -> Iterator[Check]:
    """A checkpoint of the device, loaded there and on the CPU, answers as it was tested."""
    data, _ = data_of(trained_run(folder), trust=True, remedy="trust=True")
    x, y = data.arrays.x[data.split.test], data.arrays.y[data.split.test]
    for device in dict.fromkeys((settings.device, "cpu")):
        answers = load_network(folder, device=device, trust=True).predict(x).cpu().numpy()
        off = abs(float((answers == y).mean()) - record["metrics"]["test/acc_at_best"]) * len(y)
        yield Check(
            f"test images that the checkpoint answers otherwise on {device}", round(off), 1, "one on the boundary"
        )


WORK: list[tuple[str, float, Work]] = [
    ("monitors are passive", 15, passive),
    ("resuming", 10, resumed),
    ("one process of trainer=ddp", 10, distributed),
    ("steps that wait", 10, stalls),
    ("train.py from end to end", 30, whole_command),
    ("compile=true", 60, compiled),
]
