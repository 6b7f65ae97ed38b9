"""Batch normalisation's statistics at the weights as they are, against formulas in float64."""

import copy

import pytest
import torch
import torch.distributed as dist
from torch import nn

from gradflow.measure.batch_norm import apply_statistics, batch_norm_layers, recompute, recomputed, statistics


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2), nn.BatchNorm1d(2)
    ).double()


def batches() -> list[torch.Tensor]:
    return [torch.randn(5, 3, dtype=torch.float64), 1 + 2 * torch.randn(5, 3, dtype=torch.float64)]


def test_each_layer_gets_the_mean_of_the_batches_means_and_of_their_unbiased_variances():
    net, xs = network().eval(), batches()
    recompute(net, xs)
    first = [net[0](x) for x in xs]
    second = []
    for z in first:  # by hand: dropout is off, and each batch is normalised by its own (biased) variance
        normalised = (z - z.mean(0)) / (z.var(0, correction=0) + net[1].eps).sqrt()
        second.append(net[4](normalised.relu()))
    for layer, zs in ((net[1], first), (net[5], second)):
        torch.testing.assert_close(layer.running_mean, torch.stack([z.mean(0) for z in zs]).mean(0), rtol=1e-12, atol=0)
        torch.testing.assert_close(layer.running_var, torch.stack([z.var(0) for z in zs]).mean(0), rtol=1e-12, atol=0)


def test_the_network_is_left_in_evaluation_mode_with_its_own_momenta():
    net = network().eval()
    net[1].momentum = 0.3
    recompute(net, batches())
    assert not any(module.training for module in net.modules())
    assert (net[1].momentum, net[5].momentum) == (0.3, 0.1)


def test_the_running_averages_come_back_bit_by_bit_even_after_an_error():
    net = network()
    net(batches()[0])  # running averages other than the initial ones
    net.eval()
    before = copy.deepcopy(net.state_dict())
    seen = []

    def evaluation():
        seen.append(net[1].running_mean.clone())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), recomputed(net, batches()):
        evaluation()
    assert not torch.equal(seen[0], before["1.running_mean"])
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_statistics_can_be_put_into_another_network():
    net, other = network().eval(), network().eval()
    recompute(net, batches())
    apply_statistics(other, statistics(net))
    x = batches()[0]
    assert torch.equal(other(x), net(x))


@pytest.fixture
def process_group():
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def test_synchronised_layers_are_recomputed_without_the_other_processes(process_group):
    net = network().eval()
    synchronised = nn.SyncBatchNorm.convert_sync_batchnorm(copy.deepcopy(net))
    xs = batches()
    with pytest.raises(ValueError, match="GPU"):  # where it would wait for the others, a CPU cannot take part
        copy.deepcopy(synchronised).train()(xs[0])
    recompute(net, xs)
    recompute(synchronised, xs)
    assert all(torch.equal(a, b) for a, b in zip(net.buffers(), synchronised.buffers(), strict=True))
    assert "forward" not in vars(synchronised[1])


def test_layers_without_running_averages_are_left_alone():
    net = nn.Sequential(nn.BatchNorm1d(3, track_running_stats=False), nn.BatchNorm1d(3))
    assert list(batch_norm_layers(net)) == ["1"]
