"""Somebody's LightningModule in a run: what it logs is kept and written, and an interruption changes nothing."""

import numpy as np
import pytest
import torch
from finished_runs import left_by, only_run, record, written_twice
from interruptions import interrupt_after
from own_lightning import BATCH, SAMPLES, Classifier, Points

from gradflow.runs.events import curves
from gradflow.runs.record import State
from gradflow.seeds import Stream, torch_seed
from gradflow.training.epoch_seeds import seed_everything

OWN = ("module=custom", "data=custom", "data._target_=own_lightning.Points", "callbacks=none", "trainer=cpu")
CLASSIFIER = (*OWN, "module._target_=own_lightning.Classifier")
STEPS = -(-SAMPLES // 2 // BATCH)  # of an epoch


@pytest.fixture(scope="module")
def finished(command_in, tmp_path_factory):
    """The folder of a run of four epochs."""
    folder = tmp_path_factory.mktemp("finished")
    outcome = command_in(folder, *CLASSIFIER, "trainer.max_epochs=4")
    assert outcome.status == 0, outcome.err
    return only_run(folder)


def test_every_value_is_written_once_at_the_step_of_its_weights(finished):
    found = curves(finished)
    by_step, by_epoch = np.arange(4 * STEPS), STEPS * np.arange(1, 5)
    assert set(found) == {
        *("train/loss", "train/loss_step", "train/acc", "train/acc_step", "val/loss", "val/loss_best", "val/f1"),
        *("test/loss", "test/loss_at_best", "test/f1", "test/f1_at_best"),
    }
    for tag in ("train/loss_step", "train/acc_step"):
        assert found[tag].steps.tolist() == by_step.tolist()
    for tag in ("train/loss", "train/acc", "val/loss", "val/loss_best", "val/f1"):
        assert found[tag].steps.tolist() == by_epoch.tolist()
    means = found["train/loss_step"].values.reshape(4, STEPS).mean(axis=1)
    assert found["train/loss"].values == pytest.approx(means, rel=1e-6)
    assert found["val/loss_best"].values == pytest.approx(np.minimum.accumulate(found["val/loss"].values))


def test_run_json_has_what_was_logged_and_its_scores_are_those_of_the_checkpoints(finished):
    metrics = record(finished)["metrics"]
    best = int(np.argmin(curves(finished)["val/loss"].values)) + 1
    assert metrics["best_epoch"] == best
    data = Points()
    seed_everything(torch_seed(0, Stream.SPLIT))
    data.setup("test")
    for name, at in (("last", ""), ("best", "_at_best")):
        checkpoint = torch.load(finished / "checkpoints" / f"{name}.ckpt", weights_only=True)
        assert checkpoint["epoch"] + 1 == (best if name == "best" else 4)
        module = Classifier(2).eval()
        module.load_state_dict(checkpoint["state_dict"])
        with torch.no_grad():
            outputs, y = zip(*((module.net(x), y) for x, y in data.test_dataloader()), strict=True)
        outputs, y = torch.cat(outputs), torch.cat(y)
        expected = float(torch.nn.functional.cross_entropy(outputs, y)), float((outputs.argmax(1) == y).float().mean())
        assert (metrics[f"test/loss{at}"], metrics[f"test/f1{at}"]) == pytest.approx(expected, rel=1e-5)


def test_a_checkpoint_loads_as_lightning_documents(finished):
    path = finished / "checkpoints" / "best.ckpt"
    module = Classifier.load_from_checkpoint(path, activation=torch.nn.ReLU, weights_only=True)
    assert (module.hparams.num_classes, module.hparams.hidden) == (2, 6)


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("+data.workers=1", "+data.persistent=true"),
        pytest.param(("+data.own_generator=true",), marks=pytest.mark.slow),
        pytest.param(("+data.streamed=true",), marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_a_run_interrupted_in_its_third_epoch_ends_like_one_that_was_not(command, tmp_path, monkeypatch, options):
    other = tmp_path / "other"
    assert command(*CLASSIFIER, "trainer.max_epochs=4", *options, f"output_dir={other}/outputs").status == 0
    assert interrupt_after(command, monkeypatch, 3, *CLASSIFIER, "trainer.max_epochs=4", *options).status == 130
    assert record(only_run(tmp_path))["state"] == State.INTERRUPTED
    again = command(*CLASSIFIER, "trainer.max_epochs=4", *options)
    assert "resuming after epoch 2" in again.out
    run, whole = only_run(tmp_path), only_run(other)
    assert left_by(run) == left_by(whole)
    assert written_twice(run) == []


def test_a_loss_that_is_not_finite_ends_a_run_as_diverged(command, tmp_path):
    assert command(*CLASSIFIER, "trainer.max_epochs=4", f"+module.spoil={STEPS + 1}").status == 0
    found = record(only_run(tmp_path))
    assert found["state"] == State.DIVERGED
    assert found["error"]["message"].endswith(f"not finite at step {STEPS + 1}")
    assert len(curves(only_run(tmp_path))["train/acc_step"].steps) == STEPS + 1  # before that


def test_manual_optimization_with_two_optimizers(command, tmp_path):
    options = ("module._target_=own_lightning.TwoOptimizers", "module.monitor=val_score", "trainer.max_epochs=2")
    outcome = command(*OWN, *options)
    assert outcome.status == 0, outcome.err
    found = record(only_run(tmp_path))
    assert (found["headline"], found["activation"], found["lr"]) == ("val_score_best", None, None)
    assert {*found["metrics"]} == {"g_loss", "d_loss", "val_score", "val_score_best", "best_epoch"}
    written = curves(only_run(tmp_path))
    assert written["g_loss_step"].steps.tolist() == list(range(0, 2 * 2 * STEPS, 2))  # two updates a batch
    assert written["val_score"].steps.tolist() == [2 * STEPS, 4 * STEPS]
