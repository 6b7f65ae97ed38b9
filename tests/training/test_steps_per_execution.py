"""Several updates in one training step of Lightning's leave what one update in each leaves, bit by bit."""

import pytest
from finished_runs import left_by, only_run, record
from interruptions import interrupt_after

from gradflow.training import build

SMALL = ("width=8", "blocks=2", "trainer=cpu", "trainer.max_epochs=2", "callbacks.pictures=null", "threads=1")


@pytest.mark.parametrize(
    "options",
    [
        ["model=conv"],
        ["model=mlp", "activation=rrelu", "model.dropout=0.2", "optimizer=sgd_momentum", "schedule=cosine"],
        ["model=conv", "precision=bf16"],
        ["model=mlp", "precision=64", "optimizer=rmsprop"],
    ],
    ids=" ".join,
)
def test_weights_metrics_and_curves_are_those_of_automatic_optimization(command, tmp_path, monkeypatch, options):
    results = []
    for steps in (1, 5):  # 38 batches in an epoch: the last chunk holds 3
        made = []
        monkeypatch.setattr(build, "module", lambda *a, make=build.module, kept=made: kept.append(make(*a)) or kept[-1])
        folder = tmp_path / f"steps{steps}"
        assert command(*SMALL, *options, f"steps_per_execution={steps}", f"output_dir={folder}/outputs").status == 0
        assert made[-1].automatic_optimization == (steps == 1)
        results.append(left_by(only_run(folder)))
        monkeypatch.undo()
    assert len(results[0]["curves"]["train/loss_step"]) == 2 * 38
    assert results[0] == results[1]


@pytest.mark.parametrize(("first", "then", "precision"), [(1, 16, 32), (16, 1, 32), (16, 16, 64), (16, 16, "bf16")])
def test_an_interrupted_run_may_go_on_with_the_other_kind_of_step(
    command, tmp_path, monkeypatch, first, then, precision
):
    options = (*SMALL[:3], "trainer.max_epochs=4", *SMALL[4:], f"precision={precision}")
    assert command(*options, f"output_dir={tmp_path}/whole/outputs").status == 0
    interrupted = interrupt_after(command, monkeypatch, 3, *options, f"steps_per_execution={first}")
    assert interrupted.status == 130
    again = command(*options, f"steps_per_execution={then}")
    assert "resuming after epoch 2" in again.out
    assert left_by(only_run(tmp_path)) == left_by(only_run(tmp_path / "whole"))
    assert record(only_run(tmp_path))["attempts"] == 2


@pytest.mark.parametrize(
    "option",
    [
        "trainer.gradient_clip_val=1",
        "trainer.accumulate_grad_batches=2",
        "+trainer.limit_train_batches=3",
        "+trainer.max_steps=3",
        "steps_per_execution=1",
        "+callbacks.own._target_=lightning.pytorch.callbacks.LearningRateMonitor",
    ],
)
def test_what_counts_batches_keeps_one_in_a_step(compose, option):
    cfg = compose(option)
    assert build.chunk_size(cfg, build.monitors(cfg)) is None
    plain = compose()
    assert build.chunk_size(plain, build.monitors(plain)) == 16
    assert build.chunk_size(compose("callbacks=early_stopping"), build.monitors(compose("callbacks=early_stopping")))
