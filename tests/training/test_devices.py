"""One run in several processes: the result of one, whatever the sizes of their shards."""

import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from finished_runs import left_by, only_run, record, run_folders
from interruptions import pause
from lightning.pytorch.utilities import rank_zero_only
from own_processes import start
from waiting import PATIENCE_S, wait_until

from gradflow.data.loader import BatchLoader
from gradflow.measure.batch_norm import recomputed
from gradflow.runs.events import curves
from gradflow.runs.record import State
from gradflow.seeds import Stream, torch_seed
from gradflow.sweep.checks import training as training_checks
from gradflow.training import build

SMALL = ("blocks=2", "width=8", "trainer.accelerator=cpu", "threads=1", "callbacks.pictures=null", "precision=64")
TWO = ("trainer=ddp",)


def assert_same_results(folder: Path, other: Path, *, rtol: float) -> None:
    """Every point of every curve and every metric, up to rounding."""
    runs = [only_run(one) for one in (folder, other)]
    ours, theirs = map(curves, runs)
    assert ours.keys() == theirs.keys()
    for tag, curve in ours.items():
        assert curve.steps.tolist() == theirs[tag].steps.tolist(), tag
        np.testing.assert_allclose(curve.values, theirs[tag].values, rtol=rtol, atol=1e-12, err_msg=tag)
    ours, theirs = (record(run)["metrics"] for run in runs)
    assert ours == pytest.approx(theirs, rel=rtol, abs=1e-12)


RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID", "JSM_NAMESPACE_RANK")  # where Lightning looks for one
TINY = (*SMALL, "model=mlp", "blocks=1", "trainer.max_epochs=1")


def is_whole(run: Path) -> bool:
    files = list(run.glob("events.*"))
    names = {"last.ckpt", "best.ckpt"}
    return record(run)["events"].keys() == {file.name for file in files} and names == {
        file.name for file in (run / "checkpoints").iterdir()
    }


def test_a_run_is_its_own_first_process_whatever_the_environment_claims(command, tmp_path, monkeypatch):
    for name in RANKS:
        monkeypatch.setenv(name, "1")
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    assert command(*TINY).status == 0
    assert rank_zero_only.rank == 0
    assert is_whole(only_run(tmp_path))
    assert curves(only_run(tmp_path))["test/acc"].values.size == 1


@pytest.mark.slow
def test_srun_starts_as_many_whole_runs_as_it_has_tasks(tmp_path):
    """`srun -n2 bash -c 'python train.py … seed=$SLURM_PROCID'`."""
    tasks = [start(tmp_path, *TINY, f"seed={rank}", environment={"SLURM_PROCID": str(rank)}) for rank in range(2)]
    assert [task.wait() for task in tasks] == [0, 0]
    runs = run_folders(tmp_path)
    assert [record(run)["state"] for run in runs] == ["finished"] * 2
    assert all(map(is_whole, runs))
    assert len(curves(runs[0])) == len(curves(runs[1])) > 10


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
        ["model=conv", "model.norm=none", "data.eval_batch_size=7", "trainer.max_epochs=1"],
        ["model=conv", "model.norm=layer", "activation=maxout", "schedule=cosine", "trainer.max_epochs=1"],
        # The last batch is one sample: the second process has none.
        ["model=mlp", "data.batch_size=299", "activation=sigmoid", "trainer.max_epochs=3"],
        ["model=mlp", "data=diabetes", "data.batch_size=53", "data.eval_batch_size=87", "trainer.max_epochs=2"],
        ["model=mlp", "trainer.accumulate_grad_batches=2", "trainer.gradient_clip_val=0.1", "trainer.max_epochs=1"],
    ],
    ids=" ".join,
)
def test_results_are_those_of_one_process(command_in, capfd, tmp_path, options):
    one, two = tmp_path / "one", tmp_path / "two"
    for folder, more in ((one, ()), (two, TWO)):
        folder.mkdir()
        finished = command_in(folder, *SMALL, *options, *more)
        assert (finished.status, finished.err) == (0, ""), finished
        assert finished.out.count("1 run to train") == 1
    assert capfd.readouterr() == ("", "")  # the other process plans nothing and says nothing
    ours, theirs = record(only_run(one)), record(only_run(two))
    assert theirs["config_hash"] == ours["config_hash"]
    assert theirs["provenance"]["device"].startswith("2 x ")
    assert_same_results(one, two, rtol=1e-6)  # curves are kept in float32


@pytest.mark.slow
def test_three_processes_in_float32(command_in, tmp_path):
    options = ("model=mlp", "trainer.max_epochs=1", "precision=32", "data.batch_size=100")
    for name, more in (("one", ()), ("three", (*TWO, "trainer.devices=3"))):
        (tmp_path / name).mkdir()
        assert command_in(tmp_path / name, *SMALL, *options, *more).status == 0
    assert_same_results(tmp_path / "one", tmp_path / "three", rtol=1e-3)


@pytest.mark.slow
def test_a_run_that_is_told_to_leave_goes_on_with_both_processes(command_in, tmp_path):
    go = tmp_path / "go"
    long = ("model=mlp", *SMALL, *TWO, "trainer.max_epochs=3", *pause(1, until=go))
    folder, whole = tmp_path / "stopped", tmp_path / "whole"
    process = start(folder, *long, stdout=subprocess.DEVNULL)
    assert wait_until(lambda: list(folder.glob("outputs/*/*/seed=*/checkpoints/last.ckpt")), process=process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=PATIENCE_S) == 143
    assert record(only_run(folder))["state"] == State.INTERRUPTED
    go.touch()
    again = command_in(folder, *long)
    assert "resuming after epoch" in again.out
    assert record(only_run(folder))["attempts"] == 2
    whole.mkdir()
    assert command_in(whole, *long).status == 0
    assert left_by(only_run(folder)) == left_by(only_run(whole))


@pytest.mark.slow
def test_what_another_process_raises_is_told(command, tmp_path):
    custom = ("activation=custom", "activation._target_=own_activations.BreakingElsewhere")
    assert command("model=mlp", *SMALL, *TWO, *custom).status == 1
    found = record(only_run(tmp_path))
    assert found["state"] == State.FAILED
    assert "broken in process 1" in "\n".join(found["error"]["traceback"])


@pytest.mark.slow
def test_a_run_that_diverges_does_so_in_every_process(command, tmp_path):
    assert command("model=mlp", *SMALL, *TWO, "optimizer=sgd", "optimizer.lr=1e38", "activation=identity").status == 0
    assert record(only_run(tmp_path))["state"] == State.DIVERGED


@pytest.mark.slow
def test_recomputed_statistics_are_those_of_whole_batches_in_every_process(command, compose, tmp_path, monkeypatch):
    """On CPUs, training normalises by each process's own part of a batch, which the planner therefore refuses."""
    monkeypatch.setattr(training_checks, "_devices", lambda cfg: None)
    monkeypatch.setattr(training_checks, "check_batch_norm", lambda cfg, what: None)
    batch_norm = ("model=mlp", "model.norm=batch", "data.batch_size=64", "trainer.max_epochs=2", "init=he")
    ours = (*SMALL, *batch_norm, "batch_norm_samples=300")
    assert command(*ours, *TWO, "trainer.sync_batchnorm=false").status == 0
    folder = only_run(tmp_path)
    scores = record(folder)["metrics"]
    cfg = compose(*ours)
    data = build.data(cfg)
    data.setup()
    module = build.module(cfg, data).eval()
    module.load_state_dict(torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"])
    (x, y), *none = data.test_dataloader()
    assert not none
    batches = [inputs.double() for inputs, _ in data.whole_batches(samples=300)]
    assert [len(one) for one in batches] == [64] * 5
    with torch.no_grad(), recomputed(module.network, batches):
        assert float(module.task.loss(module(x.double()), y)) == pytest.approx(scores["test/loss"], rel=1e-10)
    with torch.no_grad():
        assert float(module.task.loss(module(x.double()), y)) == pytest.approx(
            scores["test/loss_running_bn"], rel=1e-10
        )
    assert scores["test/loss"] != pytest.approx(scores["test/loss_running_bn"], rel=1e-3)


def test_one_process_of_ddp_is_a_run_like_any_other(command, tmp_path):
    """Batch normalisation has nothing to synchronise, which on a CPU it could not; the group ends with the run."""
    for number, options in enumerate([(), ("trainer=ddp", "trainer.devices=1")]):
        folder = tmp_path / str(number)
        outcome = command(*options, *SMALL, "trainer.max_epochs=1", f"output_dir={folder}/outputs")
        assert outcome.status == 0, outcome
    assert_same_results(tmp_path / "1", tmp_path / "0", rtol=1e-9)
    assert not torch.distributed.is_initialized()
