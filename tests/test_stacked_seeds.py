"""Seeds that are trained as one stacked network land as the runs that they would be by themselves."""

import json
import os
import re
import signal
import threading

import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities.exceptions import SIGTERMException
from test_resume import outcome, weights
from torch import nn

from gradflow import job, plan, runfile, stacking
from gradflow.stack import Stack
from gradflow.study.events import curves

SMALL = ("width=8", "blocks=2", "trainer=cpu", "trainer.max_epochs=2", "callbacks.pictures=null", "threads=1")
SEEDS = ("seed=0,1,2",)


@pytest.fixture
def stacks(monkeypatch):
    """The stacks that are made, by the seeds in them; convolutions are stacked on a CPU too."""
    made = []
    init = Stack.__init__

    def watched(self, modules):
        made.append([module.seed for module in modules])
        init(self, modules)

    monkeypatch.setattr(Stack, "__init__", watched)
    monkeypatch.setattr(stacking, "slower", lambda cfg: None)
    return made


def runs(folder):
    return {run.name: run for run in sorted(folder.glob("outputs/*/*/seed=*"))}


def record(run):
    return json.loads((run / "run.json").read_text())


def pairs(one, other):
    assert set(runs(one)) == set(runs(other))
    return [(runs(one)[name], runs(other)[name]) for name in runs(one)]


def files(run):
    return {str(file.relative_to(run)) for file in run.rglob("*") if "tfevents" not in file.name}


@pytest.mark.parametrize(
    "options",
    [
        ["model=mlp", "activation=prelu", "optimizer=adamw", "schedule=step", "schedule.step_size=1"],
        ["model=mlp", "model.norm=layer", "activation=maxout", "optimizer=sgd"],
        ["model=conv", "optimizer=sgd_momentum", "model.residual=true"],
        ["model=mlp", "model.norm=batch", "activation=sigmoid", "optimizer=rmsprop", "callbacks=none"],
        ["model=lenet5", "blocks=null", "width=null", "optimizer=adam"],
        ["model=mlp", "data=diabetes", "activation=tanh"],
        ["model=mlp", "data=circles", "activation=gelu"],
    ],
    ids=lambda options: " ".join(options[:2]),
)
@pytest.mark.slow
def test_in_float64_stacked_training_is_separate_training(command, tmp_path, stacks, options):
    callbacks = () if "callbacks=none" in options else ("callbacks.pictures=null",)
    wide = (*SMALL[:4], *callbacks, "threads=1", "precision=64", *SEEDS, *options)
    assert command("-m", *wide, "seeds_per_job=3", f"output_dir={tmp_path}/stacked/outputs").status == 0
    assert stacks == [[0, 1, 2]]
    assert command("-m", *wide, f"output_dir={tmp_path}/apart/outputs").status == 0
    for stacked, apart in pairs(tmp_path / "stacked", tmp_path / "apart"):
        assert files(stacked) == files(apart)
        ours, theirs = curves(stacked), curves(apart)
        assert set(ours) == set(theirs)
        for tag, curve in ours.items():
            assert curve.steps.tolist() == theirs[tag].steps.tolist()
            np.testing.assert_allclose(curve.values, theirs[tag].values, rtol=1e-6, atol=1e-12, err_msg=tag)
        assert record(stacked)["metrics"] == pytest.approx(record(apart)["metrics"], rel=1e-9, abs=1e-12, nan_ok=True)
        for name in ("last.ckpt", "best.ckpt"):
            a, b = weights(stacked / "checkpoints" / name), weights(apart / "checkpoints" / name)
            assert set(a) == set(b)
            for key in a:
                np.testing.assert_allclose(a[key], b[key], rtol=1e-9, atol=1e-9, err_msg=key)
        sizes = [(run / "checkpoints" / "last.ckpt").stat().st_size for run in (stacked, apart)]
        assert sizes[0] == pytest.approx(sizes[1], rel=0.02), "a checkpoint must not hold the other seeds"


def test_in_float32_and_bfloat16_the_scores_agree(command, tmp_path, stacks):
    for precision in ("32", "bf16"):
        where = tmp_path / precision
        options = ("model=mlp", *SMALL, *SEEDS, f"precision={precision}")
        assert command("-m", *options, "seeds_per_job=3", f"output_dir={where}/stacked/outputs").status == 0
        assert command("-m", *options, f"output_dir={where}/apart/outputs").status == 0
        for stacked, apart in pairs(where / "stacked", where / "apart"):
            first = [curves(run)["train/loss_step"].values[:4] for run in (stacked, apart)]
            np.testing.assert_allclose(*first, rtol=1e-5 if precision == "32" else 1e-2)
            assert record(stacked)["metrics"]["test/acc"] == pytest.approx(
                record(apart)["metrics"]["test/acc"], abs=0.02
            )
    assert stacks == [[0, 1, 2]] * 2


@pytest.mark.parametrize("model", ["mlp", "conv"])
def test_a_run_may_go_on_stacked_or_apart(command, tmp_path, stacks, monkeypatch, model):
    from gradflow.callbacks.progress import RunProgress

    def press_ctrl_c(self, trainer, module):
        if trainer.current_epoch == 1 and module.seed == 2:
            os.kill(os.getpid(), signal.SIGINT)

    options = ("-m", f"model={model}", *SMALL[:3], "trainer.max_epochs=4", *SMALL[4:], *SEEDS, "precision=64")
    assert command(*options, f"output_dir={tmp_path}/whole/outputs").status == 0
    with monkeypatch.context() as patch:
        patch.setattr(RunProgress, "on_train_epoch_end", press_ctrl_c)
        assert command(*options, "seeds_per_job=3").status == 130
    assert {record(run)["state"] for run in runs(tmp_path).values()} == {runfile.INTERRUPTED}
    assert command(*options, "seed=0").status == 0  # one of them apart
    assert command(*options, "seeds_per_job=3").status == 0  # the others as a stack, from their checkpoints
    assert stacks == [[0, 1, 2], [1, 2]]
    for again, whole in pairs(tmp_path, tmp_path / "whole"):
        ours, theirs = outcome(again), outcome(whole)
        assert ours["metrics"] == pytest.approx(theirs["metrics"], rel=1e-9)
        for tag, points in theirs["curves"].items():
            np.testing.assert_allclose(ours["curves"][tag], points, rtol=1e-6, err_msg=tag)


def test_a_seed_that_diverges_is_marked_and_the_others_go_on(command, tmp_path, stacks, monkeypatch):
    options = ("-m", "model=mlp", *SMALL, *SEEDS, "precision=64", "data.validation=last")
    assert command(*options, f"output_dir={tmp_path}/apart/outputs").status == 0
    losses = Stack._losses

    def diverging(self, indices, chunk):
        losses_R, outputs, targets = losses(self, indices, chunk)
        if len(self.modules) == 3 and self.modules[1].global_step == 20:
            losses_R = losses_R * torch.tensor([1.0, float("nan"), 1.0], dtype=losses_R.dtype)
        return losses_R, outputs, targets

    monkeypatch.setattr(Stack, "_losses", diverging)
    assert command(*options, "seeds_per_job=3", f"output_dir={tmp_path}/stacked/outputs").status == 0
    assert stacks == [[0, 1, 2], [0, 2]]
    for stacked, apart in pairs(tmp_path / "stacked", tmp_path / "apart"):
        if stacked.name == "seed=1":
            assert record(stacked)["state"] == runfile.DIVERGED
            assert "the loss is not finite at step 20" in record(stacked)["error"]["message"]
            assert curves(stacked)["grad_norm/total"].steps.tolist() == list(range(20))
            assert curves(stacked)["train/loss_step"].steps.tolist() == list(range(20))
        else:
            assert record(stacked)["metrics"] == pytest.approx(record(apart)["metrics"], rel=1e-9)


def test_a_seed_that_fails_leaves_the_others_alone(command, tmp_path, stacks, monkeypatch):
    from gradflow.callbacks.unit_statistics import UnitStatistics

    end = UnitStatistics.on_validation_end

    def fail(self, trainer, module):
        if module.seed == 1 and trainer.global_step > 0:
            raise ValueError("broken on purpose")
        end(self, trainer, module)

    monkeypatch.setattr(UnitStatistics, "on_validation_end", fail)
    failed = command("-m", "model=mlp", *SMALL, *SEEDS, "seeds_per_job=3")
    assert failed.status == 1
    states = [record(run)["state"] for run in runs(tmp_path).values()]
    assert states == [runfile.FINISHED, runfile.FAILED, runfile.FINISHED]
    assert "broken on purpose" in (runs(tmp_path)["seed=1"] / "train.log").read_text()
    assert "broken on purpose" not in (runs(tmp_path)["seed=0"] / "train.log").read_text()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("seed=")]


class StopAt(Callback):
    """Early stopping, at another epoch for each seed."""

    def on_train_epoch_end(self, trainer, pl_module):
        trainer.should_stop = trainer.current_epoch >= pl_module.seed


def test_seeds_may_stop_at_different_epochs(command, tmp_path, stacks):
    options = ("-m", "model=mlp", *SMALL[:3], "trainer.max_epochs=5", *SMALL[4:], *SEEDS, "precision=64")
    stop = ("+callbacks.stop._target_=test_stacked_seeds.StopAt",)
    assert command(*options, *stop, "seeds_per_job=3", f"output_dir={tmp_path}/stacked/outputs").status == 0
    assert command(*options, *stop, f"output_dir={tmp_path}/apart/outputs").status == 0
    assert stacks == [[0, 1, 2], [1, 2]]
    for stacked, apart in pairs(tmp_path / "stacked", tmp_path / "apart"):
        assert len(curves(stacked)["val/acc"].steps) == int(stacked.name[-1]) + 1
        assert record(stacked)["metrics"] == pytest.approx(record(apart)["metrics"], rel=1e-9)


class Unstackable(nn.Module):
    """Asks for a number, which a stack of networks has several of."""

    def forward(self, z):
        return z if float(z.detach().mean()) > -1e9 else -z


def test_what_cannot_be_stacked_after_all_is_trained_one_by_one(command, tmp_path, stacks):
    options = ("-m", "model=mlp", *SMALL, *SEEDS, "activation=custom")
    target = "activation._target_=test_stacked_seeds.Unstackable"
    outcome_of_it = command(*options, target, "seeds_per_job=3", f"output_dir={tmp_path}/stacked/outputs")
    assert outcome_of_it.status == 0, outcome_of_it
    assert "one by one" in " ".join(outcome_of_it.out.split())
    assert command(*options, target, f"output_dir={tmp_path}/apart/outputs").status == 0
    for stacked, apart in pairs(tmp_path / "stacked", tmp_path / "apart"):
        assert outcome(stacked) == outcome(apart)


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("model.dropout=0.1", "model.dropout=0.1: .*masks"),
        ("activation=rrelu", "activation=rrelu: .*slopes"),
        ("trainer.gradient_clip_val=1", "trainer.gradient_clip_val=1: .*clips one gradient"),
        ("trainer.accumulate_grad_batches=2", "seeds_per_job=2: each batch"),
        ("steps_per_execution=1", "seeds_per_job=2: each batch"),
    ],
)
def test_what_cannot_be_stacked_is_refused_with_the_reason(command, option, reason):
    refused = command("-m", "model=mlp", option, "seed=0,1", "seeds_per_job=2")
    assert refused.status == 2
    (line,) = refused.err.strip().splitlines()
    assert re.search(reason, line), line


def test_convolutions_on_a_cpu_are_trained_one_by_one_and_it_says_so(command):
    said = command("-m", *SMALL, "trainer.max_epochs=1", "seed=0,1", "seeds_per_job=2")
    assert said.status == 0
    assert "one by one" in " ".join(said.out.split())


def test_jobs_hold_groups_of_seeds_of_one_configuration(tmp_path):
    def planned(runs_per_job):
        runs = [(tmp_path / c / f"seed={s}", 2 if c == "a" else 1) for s in range(3) for c in ("a", "b")]
        return [plan.PlannedRun([], folder, seeds, runs_per_job) for folder, seeds in runs]

    def named(runs_per_job):
        jobs = plan.jobs(planned(runs_per_job))
        return [["".join(f"{run.folder.parent.name}{run.seed}" for run in group) for group in one] for one in jobs]

    assert named(1) == [["a0a1"], ["b0"], ["b1"], ["a2"], ["b2"]]
    assert named(3) == [["a0a1", "b0"], ["b1", "a2", "b2"]]
    assert named(99) == [["a0a1", "b0", "b1", "a2", "b2"]]
    described = json.loads(job.described([[run.folder for run in planned(1)[:2]]], first=2, of=9))
    assert described == {"groups": [["a/seed=0", "b/seed=0"]], "first": 2, "of": 9}


def test_a_job_of_several_runs_trains_each_with_its_own_configuration(command, tmp_path, monkeypatch):
    options = ("-m", "model=mlp", *SMALL, "activation=relu,tanh", "seed=0,1", "precision=64")
    assert command(*options, f"output_dir={tmp_path}/apart/outputs").status == 0
    launched = []
    from hydra._internal.core_plugins.basic_launcher import BasicLauncher

    launch = BasicLauncher.launch
    monkeypatch.setattr(
        BasicLauncher, "launch", lambda self, jobs, **n: launched.extend(jobs) or launch(self, jobs, **n)
    )
    packed = command(*options, "runs_per_job=3", "seeds_per_job=2", f"output_dir={tmp_path}/packed/outputs")
    assert packed.status == 0, packed
    assert len(launched) == 2
    for n in range(1, 5):
        assert f"run {n}/4" in packed.out
    every = [sorted((tmp_path / where / "outputs").glob("*/*/seed=*")) for where in ("packed", "apart")]
    assert len(every[0]) == 4
    for one, other in zip(*every, strict=True):
        assert one.relative_to(tmp_path / "packed") == other.relative_to(tmp_path / "apart")
        assert record(one)["metrics"] == pytest.approx(record(other)["metrics"], rel=1e-9)


def test_a_run_that_fails_does_not_keep_its_job_from_the_others(command, tmp_path, monkeypatch):
    from gradflow import build

    make = build.module

    def fail(cfg, arrays):
        if cfg.activation.name == "relu" and cfg.seed == 0 and arrays.chunk_size:
            raise ValueError("broken on purpose")
        return make(cfg, arrays)

    monkeypatch.setattr(build, "module", fail)
    options = ("-m", "model=mlp", *SMALL, "activation=relu,tanh", "seed=0,1", "runs_per_job=4")
    assert command(*options).status == 1
    states = {str(run.relative_to(tmp_path)): record(run)["state"] for run in tmp_path.glob("outputs/*/*/seed=*")}
    assert sorted(states.values()) == [runfile.FAILED] + [runfile.FINISHED] * 3


@pytest.mark.parametrize("listens", [True, False])
def test_a_job_that_is_told_to_end_is_queued_again_where_somebody_listens(compose, tmp_path, monkeypatch, listens):
    asked = []
    before = signal.signal(signal.SIGUSR2, (lambda *_: asked.append("again")) if listens else signal.SIG_DFL)
    monkeypatch.setattr(job, "run", lambda *_, **__: (_ for _ in ()).throw(SIGTERMException))
    try:
        with pytest.raises(SystemExit, match="143"):
            job.run_job(compose(), tmp_path / "study" / "config" / "seed=0")
    finally:
        signal.signal(signal.SIGUSR2, before)
    assert asked == (["again"] if listens else [])
