"""A loss or gradient that is not finite ends the run before it can spoil the weights."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import Callback
from small_runs import small_mlp, table
from torch import nn

from gradflow.callbacks.divergence import Divergence
from gradflow.callbacks.gradient_norms import GradientNorms
from gradflow.callbacks.unit_statistics import UnitStatistics
from gradflow.errors import Diverged

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
    run = prepare(network := small_mlp(), callbacks=[Divergence(), *monitors(), PoisonGradient(value)])
    with pytest.raises(Diverged, match=f"a gradient is not finite at step {STEP}"):
        run.run()
    assert all(torch.equal(value, reference.network.state_dict()[name]) for name, value in state(network).items())
    assert list(run.scalars("grad_norm/total")) == [0, 1]
    assert list(run.scalars("train/loss_step")) == [0, 1, 2]  # this loss was still finite


def test_without_the_callback_the_weights_are_spoiled_and_validation_tells(prepare):
    run = prepare(callbacks=[PoisonGradient(NAN)], max_epochs=1)
    with pytest.raises(Diverged, match="the validation loss is not finite"):
        run.run()
    assert not all(value.isfinite().all() for value in state(run.network).values())


def test_a_loss_that_is_not_a_number_stops_the_run_and_keeps_its_curves(prepare):
    network = linear(head=[0.1, -0.1, 0.0])
    run = prepare(network, arrays=with_sample(prepare, NAN), callbacks=[Divergence(), *monitors()])
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
    free = prepare(linear(head=[3.0, -3.0, 0.0]), callbacks=[gradient := GradientNorms()], **options).run()
    assert 1e37 < gradient.epoch_means["grad_norm/total"] < INF
    assert len(free.scalars("train/loss_step")) < 4 / accumulate
    run = prepare(network, callbacks=[Divergence(), *monitors()], **options)
    with pytest.raises(Diverged, match=f"the loss is not finite at step {STEP // accumulate}"):
        run.run()


def test_a_huge_but_finite_gradient_goes_on(fit, prepare):
    arrays = with_sample(prepare, 1e30, y=1)
    run = fit(linear(head=[0.1, -0.1, 0.0]), arrays=arrays, lr=0.0, callbacks=[Divergence(), *monitors()])
    norms = run.scalars("grad_norm/total")
    assert len(norms) == 8
    assert 1e28 < norms[STEP] < INF
    assert torch.tensor(norms[STEP]).square() == INF, "float32 must overflow for this test to mean anything"


def test_validation_scores_before_the_divergence_are_kept(prepare):
    run = prepare(callbacks=[Divergence(), PoisonGradient(NAN, at=6)])
    with pytest.raises(Diverged):
        run.run()
    assert list(run.scalars("val/acc")) == list(run.scalars("val/loss")) == list(run.scalars("train/loss")) == [4]
    assert run.module.best_epoch == 1


class Accelerator:
    """What `Divergence` sees of a trainer and a module on a device that it should not wait for."""

    def __init__(self, callback):
        self.callback, self.weight = callback, nn.Parameter(torch.zeros(2))
        self.module = SimpleNamespace(device=torch.device("cuda"), parameters=lambda: [self.weight])

    def step(self, step, *, gradient=1.0, loss=1.0):
        trainer = SimpleNamespace(global_step=step)
        self.weight.grad = torch.full((2,), gradient)
        self.callback.on_before_backward(trainer, self.module, torch.tensor(loss))
        self.callback.on_before_optimizer_step(trainer, self.module, None)


@pytest.mark.parametrize(("poison", "what"), [({"gradient": NAN}, "a gradient"), ({"loss": INF}, "the loss")])
def test_an_accelerator_is_asked_now_and_then_and_the_first_bad_step_is_named(poison, what):
    accelerator = Accelerator(Divergence(every_n_steps=3))
    for step in range(3):
        accelerator.step(step)
    accelerator.step(3)
    accelerator.step(4, **poison)
    with pytest.raises(Diverged, match=f"{what} is not finite at step 4"):
        accelerator.step(5)


def test_an_accelerator_is_asked_at_the_end_of_an_epoch():
    accelerator = Accelerator(callback := Divergence(every_n_steps=50))
    accelerator.step(0, gradient=NAN)
    with pytest.raises(Diverged, match="step 0"):
        callback.on_train_epoch_end(None, None)


def test_a_huge_but_finite_gradient_goes_on_on_an_accelerator():
    accelerator = Accelerator(Divergence(every_n_steps=1))
    accelerator.step(0, gradient=1e30)
    accelerator.step(1, gradient=3e38)
