"""What the module writes, against plain loops; the best epoch; schedules; checkpoints."""

import copy
from functools import partial

import lightning as L
import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import Callback
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

from gradflow.data.arrays import Arrays
from gradflow.data.datamodule import ArrayDataModule
from gradflow.measure.scores import task
from gradflow.models.mlp import MLP
from gradflow.runs.logger import RunLogger
from gradflow.training.module import ActivationModule
from gradflow.training.schedules import Schedule

TRAIN, VALIDATION, TEST = 14, 6, 4  # batches of 4: the last one of an epoch has 2 samples


def arrays(kind="classification"):
    generator = np.random.default_rng(1)
    x = generator.standard_normal((TRAIN + VALIDATION + TEST, 5)).astype(np.float32)
    if kind == "regression":
        y = (50 * x[:, 0] + 20 * generator.standard_normal(len(x)) + 200).astype(np.float32)
    else:
        y = np.arange(len(x), dtype=np.int64) % (2 if kind == "binary" else 3)
    return Arrays(x, y, kind, None, TEST)


class Batches(Callback):
    """Keeps every batch and the weights that it met."""

    def __init__(self):
        self.train, self.val, self.rates = [], [], []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.train.append((copy.deepcopy(pl_module.network), *batch))
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])

    def on_validation_batch_start(self, trainer, pl_module, batch, batch_idx, dataloader_idx=0):
        self.val.append((copy.deepcopy(pl_module.network), *batch))


class Run:
    def __init__(self, folder, *, kind="classification", lr=0.3, schedule=None, network=None, callbacks=(), **options):
        source = arrays(kind)
        self.data = ArrayDataModule(
            lambda: source, batch_size=4, eval_batch_size=4, validation="last", validation_size=VALIDATION
        )
        torch.manual_seed(0)
        network = network or MLP((5,), source.num_outputs, nn.Tanh, blocks=1, width=6)
        optimizer = partial(torch.optim.SGD, lr=lr)
        what = task(kind, num_outputs=source.num_outputs, target_scale=self.data.target_scale)
        self.module = ActivationModule(network, what, optimizer=optimizer, schedule=schedule)
        self.folder, self.batches = folder, Batches()
        quiet = {"enable_progress_bar": False, "enable_model_summary": False, "enable_checkpointing": False}
        self.trainer = L.Trainer(
            accelerator="cpu",
            logger=RunLogger(folder),
            callbacks=[self.batches, *callbacks],
            default_root_dir=folder,
            log_every_n_steps=1,
            num_sanity_val_steps=0,
            **(quiet | {"max_epochs": 3} | options),
        )

    def fit(self, **options):
        self.trainer.fit(self.module, datamodule=self.data, **options)
        return self

    def scalars(self, tag):
        self.trainer.logger.save()
        events = EventAccumulator(str(self.folder), size_guidance={"scalars": 0}).Reload().Scalars(tag)
        assert len({event.step for event in events}) == len(events), f"{tag} was written twice"
        return {event.step: event.value for event in events}


def epochs(batches, count=3):
    size = len(batches) // count
    return [batches[i * size : (i + 1) * size] for i in range(count)]


def pooled(batches):
    """Outputs and targets of all samples, in float64."""
    outputs = [network.double()(x.double()).detach().numpy() for network, x, _ in batches]
    return np.concatenate(outputs), np.concatenate([y.numpy() for *_, y in batches])


def cross_entropy(outputs, y):
    shares = np.exp(outputs) / np.exp(outputs).sum(1, keepdims=True)
    return -np.log(shares[np.arange(len(y)), y]).mean()


def test_losses_and_accuracies_are_means_over_samples_short_batches_included(tmp_path):
    run = Run(tmp_path).fit()
    for prefix, batches in (("train", run.batches.train), ("val", run.batches.val)):
        rows = [pooled(epoch) for epoch in epochs(batches)]
        assert len(rows[0][1]) == {"train": TRAIN, "val": VALIDATION}[prefix]
        losses = {4 * (i + 1): cross_entropy(*row) for i, row in enumerate(rows)}
        assert run.scalars(f"{prefix}/loss") == pytest.approx(losses, rel=1e-5)
        accuracies = {4 * (i + 1): (o.argmax(1) == y).mean() for i, (o, y) in enumerate(rows)}
        assert run.scalars(f"{prefix}/acc") == pytest.approx(accuracies)
    plain = np.mean([cross_entropy(*pooled([batch])) for batch in epochs(run.batches.train)[0]])
    assert run.scalars("train/loss")[4] != pytest.approx(plain, rel=1e-4), "the weights of samples must matter here"


def test_the_loss_of_every_step_is_written_at_its_step(tmp_path):
    run = Run(tmp_path).fit()
    losses = [cross_entropy(*pooled([batch])) for batch in run.batches.train]
    assert run.scalars("train/loss_step") == pytest.approx(dict(enumerate(losses)), rel=1e-5)


def test_the_losses_of_accumulated_batches_are_averaged(tmp_path):
    run = Run(tmp_path, accumulate_grad_batches=3, max_epochs=2).fit()
    losses = [cross_entropy(*pooled([batch])) for batch in run.batches.train]
    steps = [losses[0:3], losses[3:4], losses[4:7], losses[7:8]]
    assert run.scalars("train/loss_step") == pytest.approx(dict(enumerate(map(np.mean, steps))), rel=1e-5)
    assert list(run.scalars("train/loss")) == list(run.scalars("val/loss")) == [2, 4]


def test_regression_scores_are_in_the_datas_unit(tmp_path):
    run = Run(tmp_path, kind="regression", lr=0.05).fit()
    train_y = arrays("regression").y[run.data.split.train].astype(np.float64)
    rows = [pooled(epoch) for epoch in epochs(run.batches.val)]
    for i, (outputs, y) in enumerate(rows):
        step, real, predicted = 4 * (i + 1), y * train_y.std(), outputs[:, 0] * train_y.std()
        assert run.scalars("val/mae")[step] == pytest.approx(np.abs(real - predicted).mean(), rel=1e-4)
        r2 = 1 - ((real - predicted) ** 2).sum() / ((real - real.mean()) ** 2).sum()
        assert run.scalars("val/r2")[step] == pytest.approx(r2, rel=1e-3, abs=1e-4)
        assert run.scalars("val/loss")[step] == pytest.approx(((y - outputs[:, 0]) ** 2).mean(), rel=1e-4)
    best = np.minimum.accumulate(list(run.scalars("val/loss").values()))
    assert list(run.scalars("val/loss_best").values()) == pytest.approx(best)


def test_binary_is_scored_on_one_logit(tmp_path):
    run = Run(tmp_path, kind="binary").fit()
    outputs, y = pooled(epochs(run.batches.val)[-1])
    assert outputs.shape == (VALIDATION, 1)
    assert run.scalars("val/acc")[12] == pytest.approx(((outputs[:, 0] > 0) == y).mean())
    exact = np.logaddexp(0, np.where(y == 1, -outputs[:, 0], outputs[:, 0])).mean()
    assert run.scalars("val/loss")[12] == pytest.approx(exact, rel=1e-5)


class Given(nn.Module):
    """Gets as many validation samples right as it is told, epoch by epoch; any other sample is wrong."""

    def __init__(self, right):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.right, self.passes, self.labels = right, 0, None

    def forward(self, x):
        if self.training:
            return self.weight * x[:, :3]
        if len(x) == 4:  # the first of the two batches
            self.passes += 1
            self.left = self.right[self.passes - 1]
        y = self.labels[:4] if len(x) == 4 else self.labels[4:]
        wins = (torch.arange(len(x)) < self.left).long()
        self.left -= int(wins.sum())
        return nn.functional.one_hot((y + 1 - wins) % 3, 3).float()


@pytest.mark.parametrize(
    ("right", "best", "epoch"),
    [([2, 5, 5, 3], [2, 5, 5, 5], 2), ([0, 0, 0, 0], [0, 0, 0, 0], 1), ([1, 2, 3, 6], [1, 2, 3, 6], 4)],
)
def test_ties_go_to_the_earliest_epoch(tmp_path, right, best, epoch):
    network = Given(right)
    run = Run(tmp_path, network=network, max_epochs=4)
    network.labels = torch.from_numpy(arrays().y[run.data.split.validation])
    run.fit()
    assert list(run.scalars("val/acc").values()) == pytest.approx([n / VALIDATION for n in right])
    assert run.scalars("val/acc_best") == pytest.approx({4 * (i + 1): n / VALIDATION for i, n in enumerate(best)})
    assert run.module.scores.best_epoch == epoch
    assert run.module.scores.best == pytest.approx(best[-1] / VALIDATION)


def test_a_pass_before_training_is_not_an_epoch(tmp_path):
    network = Given([6, 2, 5, 3])
    run = Run(tmp_path, network=network)
    network.labels = torch.from_numpy(arrays().y[run.data.split.validation])
    run.trainer.validate(run.module, datamodule=run.data, verbose=False)
    assert (run.module.scores.best_epoch, run.module.scores.latest) == (0, {})
    run.fit()
    assert run.scalars("val/acc") == pytest.approx({4: 2 / VALIDATION, 8: 5 / VALIDATION, 12: 3 / VALIDATION})
    assert list(run.scalars("val/acc_best")) == list(run.scalars("val/loss")) == [4, 8, 12]
    assert (run.module.scores.best_epoch, run.module.scores.best) == (2, pytest.approx(5 / VALIDATION))


def test_a_schedule_steps_once_an_epoch(tmp_path):
    schedule = Schedule(partial(torch.optim.lr_scheduler.StepLR, step_size=1, gamma=0.1))
    run = Run(tmp_path, schedule=schedule, lr=0.5).fit()
    assert run.batches.rates == pytest.approx([0.5] * 4 + [0.05] * 4 + [0.005] * 4)
    assert Run(tmp_path / "constant", lr=0.5).fit().batches.rates == [0.5] * 12


def test_test_scores_are_those_of_the_weights_at_hand(tmp_path):
    run = Run(tmp_path).fit()
    run.trainer.test(run.module, datamodule=run.data, verbose=False)
    with torch.no_grad():
        outputs = run.module.network.double()(run.data.preparation.inputs(run.data.arrays.x[-TEST:]).double()).numpy()
    y = arrays().y[-TEST:]
    expected = {"test/loss": cross_entropy(outputs, y), "test/acc": (outputs.argmax(1) == y).mean()}
    assert run.module.test_scores == pytest.approx(expected, rel=1e-5)
    assert run.module.test_answers.tolist() == (outputs.argmax(1) == y).tolist()


def test_best_and_final_survive_a_checkpoint(tmp_path):
    whole = Run(tmp_path / "whole", max_epochs=4).fit()
    first = Run(tmp_path / "first", max_epochs=2).fit()
    first.trainer.save_checkpoint(tmp_path / "half.ckpt")
    rest = Run(tmp_path / "rest", max_epochs=4)
    rest.module.scores.best = -1.0
    rest.fit(ckpt_path=tmp_path / "half.ckpt", weights_only=True)
    assert (rest.module.scores.best, rest.module.scores.best_epoch) == (
        whole.module.scores.best,
        whole.module.scores.best_epoch,
    )
    assert rest.module.scores.latest == whole.module.scores.latest
    assert list(rest.scalars("train/loss_step")) == list(range(8, 16))
    assert rest.scalars("val/acc_best") == {k: v for k, v in whole.scalars("val/acc_best").items() if k > 8}
    assert first.module.scores.latest != whole.module.scores.latest
    for name, value in whole.module.state_dict().items():
        assert torch.equal(rest.module.state_dict()[name], value)


def test_dropout_draws_anew_in_every_epoch_and_the_same_in_every_run(tmp_path):
    def kept(folder, *, drawn_before):
        network = nn.Sequential(nn.Linear(5, 3), nn.Dropout(0.5))
        masks = []
        network[1].register_forward_hook(lambda m, i, o: masks.append((o == 0).clone()) if m.training else None)
        run = Run(tmp_path / folder, network=network, lr=0.0, max_epochs=2)
        torch.rand(drawn_before)
        run.fit()
        return torch.cat(masks)

    masks = kept("first", drawn_before=0)
    assert torch.equal(kept("second", drawn_before=11), masks)
    assert not torch.equal(masks[:TRAIN], masks[TRAIN:])
