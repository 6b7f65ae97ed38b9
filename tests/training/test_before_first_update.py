"""Before its first update, a network with batch normalisation is what the statistics of its data make it."""

import pytest
from torch.nn.functional import conv2d

from gradflow.callbacks.unit_statistics import UnitStatistics
from gradflow.training import build
from gradflow.training.fit import measure_initial_weights

RELU_8 = ("activation=relu", "blocks=8", "trainer=cpu", "threads=1")


def measured_before_training(cfg, folder):
    """The network, its data, and the unit statistics at the initial weights."""
    monitors = build.monitors(cfg)
    data = build.data(cfg)
    module = build.module(cfg, data)
    measure_initial_weights(build.trainer(cfg, folder, callbacks=monitors), module, data)
    (units,) = (monitor for monitor in monitors if isinstance(monitor, UnitStatistics))
    return module.network, data, units.first


def moments(z_NCHW):
    return z_NCHW.mean((0, 2, 3), keepdim=True), z_NCHW.var((0, 2, 3), keepdim=True, correction=0)


def preactivations(network, batches, x_NCHW):
    """Of the samples in every hidden layer in float64, normalised by the batches' mean moments, shape (N, C, H, W)."""
    batches, x, found = [x.double() for x in batches], x_NCHW.double(), []
    for layer in network.layers[:-1]:
        weight, bias = layer.affine.weight.detach().double(), layer.affine.bias.detach().double()
        z_batches = [conv2d(x, weight, bias, padding=1) for x in batches]
        entries = z_batches[0].numel() / z_batches[0].shape[1]
        means, variances = zip(*map(moments, z_batches), strict=True)
        variance = entries / (entries - 1) * sum(variances) / len(batches)
        z = (conv2d(x, weight, bias, padding=1) - sum(means) / len(batches)) / (variance + 1e-5).sqrt()
        found.append(z)
        x = z.relu()
        batches = [((z - m) / (v + 1e-5).sqrt()).relu() for z, m, v in zip(z_batches, means, variances, strict=True)]
    return found


@pytest.mark.slow
def test_no_unit_of_the_default_network_is_dead(compose, tmp_path):
    network, data, first = measured_before_training(compose(*RELU_8), tmp_path)
    assert first["dead_units/total"] == 0.0
    batches = [x for x, _ in data.whole_batches(samples=512)]
    ((x, _),) = data.val_dataloader()
    expected = preactivations(network, batches, x)
    assert len(batches) == 16
    assert len(expected) == 9
    for layer, z in zip(network.layers, expected, strict=False):
        assert first[f"dead_units/{layer.name}"] == float((z.amax((0, 2, 3)) <= 0).double().mean())
        assert first[f"low_slope/{layer.name}"] == pytest.approx(float((z <= 0).double().mean()), rel=1e-4)


def test_running_averages_describe_another_network(compose, tmp_path):
    _, _, first = measured_before_training(compose(*RELU_8, "batch_norm=running"), tmp_path)
    assert first["dead_units/total"] > 0.2


@pytest.mark.slow
def test_no_false_warning_of_dead_units(command):
    """The one update moves no weight, and the running averages by a tenth of the way to the batch's statistics."""
    outcome = command(*RELU_8, "optimizer=sgd", "optimizer.lr=1e-30", "data.batch_size=1197", "trainer.max_epochs=1")
    assert outcome.status == 0
    assert "dead_units/total 0.000" in outcome.out
    assert "are dead" not in outcome.out + outcome.err
