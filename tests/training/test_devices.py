"""One run in several processes: the result of one, whatever the sizes of their shards."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import own_activations
import pytest
import torch
from finished_runs import left_by

from gradflow import CONF
from gradflow.data.loader import BatchLoader
from gradflow.runs.events import curves
from gradflow.runs.record import State
from gradflow.seeds import Stream, torch_seed

SMALL = ("blocks=2", "width=8", "trainer.accelerator=cpu", "threads=2", "callbacks.pictures=null", "precision=64")
TWO = ("trainer=ddp",)


def train(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(_command(*arguments), **_in(folder), capture_output=True, text=True, check=False)


def _command(*arguments: str) -> list[str]:
    return [sys.executable, str(CONF.parent / "train.py"), *arguments]


def _in(folder: Path) -> dict:
    folder.mkdir(parents=True, exist_ok=True)
    paths = os.pathsep.join([str(Path(own_activations.__file__).parent), os.environ.get("PYTHONPATH", "")])
    return {"cwd": folder, "env": os.environ | {"PYTHONPATH": paths}}


def only_run(folder: Path) -> Path:
    (run,) = folder.glob("outputs/*/*/seed=*")
    return run


def record(folder: Path) -> dict:
    return json.loads((only_run(folder) / "run.json").read_text())


def assert_same_results(folder: Path, other: Path, *, rtol: float) -> None:
    """Every point of every curve and every metric, up to rounding."""
    ours, theirs = (curves(only_run(one)) for one in (folder, other))
    assert ours.keys() == theirs.keys()
    for tag, curve in ours.items():
        assert curve.steps.tolist() == theirs[tag].steps.tolist(), tag
        np.testing.assert_allclose(curve.values, theirs[tag].values, rtol=rtol, atol=1e-12, err_msg=tag)
    ours, theirs = (record(one)["metrics"] for one in (folder, other))
    assert ours == pytest.approx(theirs, rel=rtol, abs=1e-12)


@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize("batch_size", [1, 4, 5, 11])
def test_shards_hold_every_sample_once(processes, batch_size):
    x, y, rows = torch.arange(24.0)[:, None], torch.arange(24), np.arange(2, 24)
    loaders = [
        BatchLoader(x, y, rows, batch_size=batch_size, order_seed=3, shard=(rank, processes))
        for rank in range(processes)
    ]
    whole = BatchLoader(x, y, rows, batch_size=batch_size, order_seed=3)
    for number, (batch, *shards) in enumerate(zip(whole, *loaders, strict=True)):
        sizes = [len(labels) for _, labels in shards]
        assert torch.cat([labels for _, labels in shards]).tolist() == batch[1].tolist()
        assert torch.cat([inputs for inputs, _ in shards]).tolist() == batch[0].tolist()
        assert max(sizes) - min(sizes) <= 1
        assert whole.samples(number) == sum(sizes)


def test_processes_draw_their_own_dropout_masks():
    seeds = [torch_seed(0, Stream.STOCHASTIC, 4, process=process) for process in range(3)]
    assert len(set(seeds)) == 3
    assert seeds[0] == torch_seed(0, Stream.STOCHASTIC, 4)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        # Batches of 16 and 16, of 7 and 6 at the end; validation batches of 4 and 3.
        ["model=conv", "model.norm=none", "data.eval_batch_size=7", "trainer.max_epochs=2"],
        ["model=conv", "model.norm=layer", "activation=maxout", "schedule=cosine", "trainer.max_epochs=1"],
        # The last batch is one sample: the second process has none.
        ["model=mlp", "data.batch_size=299", "activation=sigmoid", "trainer.max_epochs=3"],
        ["model=mlp", "data=diabetes", "data.batch_size=53", "data.eval_batch_size=87", "trainer.max_epochs=2"],
        ["model=mlp", "trainer.accumulate_grad_batches=2", "trainer.gradient_clip_val=0.1", "trainer.max_epochs=1"],
    ],
    ids=" ".join,
)
def test_results_are_those_of_one_process(tmp_path, options):
    for name, more in (("one", ()), ("two", TWO)):
        finished = train(tmp_path / name, *SMALL, *options, *more)
        assert finished.returncode == 0, finished.stdout + finished.stderr
        assert finished.stderr == ""
        assert finished.stdout.count("1 run to train") == 1  # the other process plans nothing
    assert record(tmp_path / "two")["config_hash"] == record(tmp_path / "one")["config_hash"]
    assert record(tmp_path / "two")["provenance"]["device"].startswith("2 x ")
    assert_same_results(tmp_path / "one", tmp_path / "two", rtol=1e-6)  # curves are kept in float32


@pytest.mark.slow
def test_three_processes_in_float32(tmp_path):
    options = ("model=mlp", "trainer.max_epochs=1", "precision=32", "data.batch_size=100")
    assert train(tmp_path / "one", *SMALL, *options).returncode == 0
    assert train(tmp_path / "three", *SMALL, *options, *TWO, "trainer.devices=3").returncode == 0
    assert_same_results(tmp_path / "one", tmp_path / "three", rtol=1e-3)


@pytest.mark.slow
def test_a_run_that_is_told_to_leave_goes_on_with_both_processes(tmp_path):
    long = ("model=mlp", *SMALL, *TWO, "trainer.max_epochs=12")
    assert train(tmp_path / "whole", *long).returncode == 0
    folder = tmp_path / "stopped"
    process = subprocess.Popen(_command(*long), **_in(folder), stdout=subprocess.DEVNULL)
    while not list(folder.glob("outputs/*/*/seed=*/checkpoints/last.ckpt")):
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 143
    assert record(folder)["state"] == State.INTERRUPTED
    again = train(folder, *long)
    assert "resuming after epoch" in again.stdout
    assert record(folder)["attempts"] == 2
    assert left_by(only_run(folder)) == left_by(only_run(tmp_path / "whole"))


@pytest.mark.slow
def test_what_another_process_raises_is_told(tmp_path):
    custom = ("activation=custom", "activation._target_=own_activations.BreakingElsewhere")
    finished = train(tmp_path, "model=mlp", *SMALL, *TWO, *custom)
    assert finished.returncode == 1
    assert record(tmp_path)["state"] == State.FAILED
    assert "broken in process 1" in "\n".join(record(tmp_path)["error"]["traceback"])


@pytest.mark.slow
def test_a_run_that_diverges_does_so_in_every_process(tmp_path):
    finished = train(tmp_path, "model=mlp", *SMALL, *TWO, "optimizer=sgd", "optimizer.lr=1e200")
    assert finished.returncode == 0
    assert record(tmp_path)["state"] == State.DIVERGED
