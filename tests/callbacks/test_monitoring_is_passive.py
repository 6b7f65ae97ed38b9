"""Watching a run does not change it; a seed fixes it."""

import pytest
import torch
from lightning.pytorch.callbacks import Callback
from small_runs import small_mlp, table
from torch import nn

from gradflow.activations import Maxout
from gradflow.callbacks.gradient_norms import GradientNorms
from gradflow.callbacks.health_warnings import HealthWarnings
from gradflow.callbacks.pictures import Pictures
from gradflow.callbacks.unit_statistics import UnitStatistics
from gradflow.models.conv import ConvStack
from gradflow.models.initialization import Initializer


def monitors():
    return [GradientNorms(), UnitStatistics(), HealthWarnings(), Pictures()]


def small_conv(activation, *, seed=0):
    network = ConvStack((1, 4, 4), 3, activation, blocks=2, width=4, dropout=0.3)
    Initializer("torch", "uniform", "uniform").apply(network.layers, seed)
    return network


def trained(prepare, *, model="conv", activation=nn.ReLU, seed=0, callbacks=(), **options):
    """Weights and BatchNorm statistics after two epochs."""
    if model == "conv":
        network, arrays = small_conv(activation, seed=seed), table(shape=(1, 4, 4))
    else:
        network, arrays = small_mlp(activation, norm="batch", dropout=0.3, seed=seed), None
    run = prepare(network, arrays=arrays, seed=seed, callbacks=callbacks, **options).run()
    return torch.cat([value.flatten().double() for value in run.network.state_dict().values()])


@pytest.mark.parametrize("model", ["mlp", "conv"])
@pytest.mark.parametrize("activation", [nn.RReLU, lambda: nn.ELU(inplace=True), Maxout], ids=["rrelu", "elu", "maxout"])
def test_weights_are_bit_identical_with_all_monitors_on_and_off(prepare, model, activation):
    off = trained(prepare, model=model, activation=activation, logger=False)
    on = trained(prepare, model=model, activation=activation, callbacks=monitors())
    assert torch.equal(on, off)


@pytest.mark.parametrize("model", ["mlp", "conv"])
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(prepare, model):
    first = trained(prepare, model=model)
    torch.manual_seed(123)  # whatever ran before in this process does not matter
    torch.rand(7)
    assert torch.equal(trained(prepare, model=model), first)
    assert not torch.equal(trained(prepare, model=model, seed=1), first)


class Keep(Callback):
    def __init__(self):
        self.batches = []

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        self.batches.append(batch[0].clone())


def test_every_activation_meets_the_same_batches_and_every_seed_others(prepare):
    def batches(activation, seed):
        trained(prepare, activation=activation, seed=seed, callbacks=[keep := Keep()])
        return torch.cat(keep.batches)

    reference = batches(nn.ReLU, 0)
    assert torch.equal(batches(Maxout, 0), reference)
    assert torch.equal(batches(nn.RReLU, 0), reference)
    assert not torch.equal(batches(nn.ReLU, 1), reference)
    assert not torch.equal(reference[:14], reference[14:])  # nor do epochs
