"""A loss or gradient that is not finite ends the run before it can spoil the weights."""

import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import Callback
from small_runs import small_mlp, table
from torch import nn

from gradflow.callbacks.gradient_norms import GradientNorms
from gradflow.callbacks.unit_statistics import UnitStatistics
from gradflow.errors import Diverged
from gradflow.measure.scores import task
from gradflow.training import module
from gradflow.training.module import ActivationModule

STEP = 2  # the third of four in the first epoch
NAN, INF = float("nan"), float("inf")


class PoisonGradient(Callback):
    def __init__(self, value, *, at=STEP):
        self.value, self.at = value, at

    def on_after_backward(self, trainer, pl_module):
        if trainer.global_step == self.at:
            pl_module.network.head.bias.grad[0] = self.value


def with_sample(prepare, x, y=0):
    """Images of one pixel, which are used as they are; the sample that comes first at STEP is (x, y)."""
    arrays = table(shape=(1, 1, 1))
    order = prepare(arrays=arrays).data
    order.setup()
    row = order.train_dataloader().sampler.order()[STEP * 4]
    arrays.x[row], arrays.y[row] = x, y
    return arrays


def linear(*, head):
    """z = x, logits = head * x."""
    network = small_mlp(nn.Identity, blocks=1, width=1, inputs=1)
    with torch.no_grad():
        network.layers[0].affine.weight.fill_(1)
        network.layers[0].affine.bias.zero_()
        network.head.weight.copy_(torch.tensor(head)[:, None])
        network.head.bias.zero_()
    return network


def state(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def monitors():
    return [GradientNorms(), UnitStatistics()]


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_a_gradient_that_is_not_finite_stops_before_its_update(fit, prepare, value):
    reference = fit(small_mlp(), max_steps=STEP)
    run = prepare(network := small_mlp(), callbacks=[*monitors(), PoisonGradient(value)])
    with pytest.raises(Diverged, match=f"a gradient is not finite at step {STEP}"):
        run.run()
    assert all(torch.equal(value, reference.network.state_dict()[name]) for name, value in state(network).items())
    assert list(run.scalars("grad_norm/total")) == [0, 1]
    assert list(run.scalars("train/loss_step")) == [0, 1, 2]  # this loss was still finite


def test_a_loss_that_is_not_a_number_stops_the_run_and_keeps_its_curves(prepare):
    network = linear(head=[0.1, -0.1, 0.0])
    run = prepare(network, arrays=with_sample(prepare, NAN), callbacks=monitors())
    with pytest.raises(Diverged, match=f"the loss is not finite at step {STEP}"):
        run.run()
    assert all(value.isfinite().all() for value in state(network).values())
    for tag in run.tags():
        assert np.isfinite(list(run.scalars(tag).values())).all()
    assert list(run.scalars("train/loss_step")) == list(run.scalars("grad_rms/01_block")) == [0, 1]
    assert list(run.scalars("dead_units/total")) == [0]


@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_loss_that_overflows_stops_the_run_though_its_gradient_is_finite(prepare, accumulate):
    network = linear(head=[3.0, -3.0, 0.0])  # logits 3e38 and -3e38: their difference is not a float32
    arrays = with_sample(prepare, 1e38, y=1)
    options = {"arrays": arrays, "lr": 0.0, "max_epochs": 1, "accumulate_grad_batches": accumulate}
    run = prepare(network, callbacks=monitors(), **options)
    with pytest.raises(Diverged, match=f"the loss is not finite at step {STEP // accumulate}"):
        run.run()
    assert all(p.grad.isfinite().all() for p in network.parameters())
    assert max(float(p.grad.abs().max()) for p in network.parameters()) > 1e37
    assert list(run.scalars("train/loss_step")) == list(range(STEP // accumulate))


def test_a_huge_but_finite_gradient_goes_on(fit, prepare):
    arrays = with_sample(prepare, 1e30, y=1)
    run = fit(linear(head=[0.1, -0.1, 0.0]), arrays=arrays, lr=0.0, callbacks=monitors())
    norms = run.scalars("grad_norm/total")
    assert len(norms) == 8
    assert 1e28 < norms[STEP] < INF
    assert torch.tensor(norms[STEP]).square() == INF, "float32 must overflow for this test to mean anything"


def test_validation_scores_before_the_divergence_are_kept(prepare):
    run = prepare(callbacks=[PoisonGradient(NAN, at=6)])
    with pytest.raises(Diverged):
        run.run()
    assert list(run.scalars("val/acc")) == list(run.scalars("val/loss")) == list(run.scalars("train/loss")) == [4]
    assert run.module.scores.best_epoch == 1


class Elsewhere(ActivationModule):
    """On a device that a step should not wait for, without a trainer."""

    device = torch.device("cuda")
    global_step = 0

    def __init__(self):
        network = linear(head=[0.1, -0.1, 0.0])
        super().__init__(network, task("classification", num_outputs=3), optimizer=torch.optim.SGD)
        self.setup("fit")

    def step(self, *, gradient=1.0, loss=1.0):
        for p in self.trained:
            p.grad = torch.full_like(p, gradient)
        self._step_losses.append(torch.tensor(loss))
        self.on_before_optimizer_step(None)
        self.global_step += 1


@pytest.mark.parametrize(("poison", "what"), [({"gradient": NAN}, "a gradient"), ({"loss": INF}, "the loss")])
def test_an_accelerator_is_asked_now_and_then_and_the_first_bad_step_is_named(monkeypatch, poison, what):
    monkeypatch.setattr(module, "RUN_AHEAD", 3)
    elsewhere = Elsewhere()
    for _ in range(4):
        elsewhere.step()
    elsewhere.step(**poison)
    with pytest.raises(Diverged, match=f"{what} is not finite at step 4"):
        elsewhere.step()


def test_an_accelerator_is_asked_before_validation():
    elsewhere = Elsewhere()
    elsewhere.step(gradient=NAN)
    with pytest.raises(Diverged, match="step 0"):
        elsewhere.on_validation_epoch_start()


def test_a_huge_but_finite_gradient_goes_on_on_an_accelerator(monkeypatch):
    monkeypatch.setattr(module, "RUN_AHEAD", 1)
    elsewhere = Elsewhere()
    elsewhere.step(gradient=1e30)
    elsewhere.step(gradient=3e38)
