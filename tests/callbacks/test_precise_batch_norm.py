"""The scores with statistics computed anew are those of a network whose statistics were computed by hand."""

import pytest
import torch
from small_runs import TEST, TRAIN, small_mlp, table
from torch import nn
from torch.nn.functional import cross_entropy

from gradflow.callbacks import precise_batch_norm
from gradflow.callbacks.precise_batch_norm import PreciseBatchNorm
from gradflow.models.conv import ConvStack

TAGS = {"test/loss_precise_bn", "test/acc_precise_bn"}
BATCH = 4


def trained_and_tested(prepare, network, callback, **options):
    run = prepare(network, callbacks=[callback], batch_size=BATCH, lr=0.5, **options).run()
    run.trainer.test(run.module, datamodule=run.data, verbose=False)
    return run


@torch.no_grad()
def by_hand(run, *, batches, samples=TEST):
    """Loss and accuracy of Linear, BatchNorm, ReLU, Linear in float64, normalised by averages over these batches.

    On the first test samples.
    """
    hidden, norm, head = (run.network.layers[0].affine, run.network.blocks[0].norm, run.network.layers[1].affine)
    loader = run.data.train_dataloader()
    z_batches = [hidden.double()(loader.batch(index)[0].double()) for index in loader.indices()[:batches]]
    mean = torch.stack([z.mean(0) for z in z_batches]).mean(0)
    variance = torch.stack([z.var(0) for z in z_batches]).mean(0)  # Bessel-corrected, as torch's running variance is
    x, y = (torch.cat(parts)[:samples] for parts in zip(*run.data.test_dataloader(), strict=True))
    z = (hidden(x.double()) - mean) / (variance + norm.eps).sqrt() * norm.weight.double() + norm.bias.double()
    outputs = head.double()(z.relu())
    return float(cross_entropy(outputs, y)), float((outputs.argmax(1) == y).double().mean())


@pytest.mark.parametrize(("samples", "batches"), [(10_000, TRAIN // BATCH), (2 * BATCH, 2), (BATCH + 1, 2)])
def test_statistics_are_averages_over_whole_training_batches_at_the_final_weights(
    prepare, monkeypatch, samples, batches
):
    monkeypatch.setattr(precise_batch_norm, "SAMPLES", samples)
    callback = PreciseBatchNorm()
    run = trained_and_tested(prepare, small_mlp(blocks=1, norm="batch"), callback, max_epochs=3)
    running = run.module.test_scores["test/loss"]
    loss, accuracy = by_hand(run, batches=batches)
    assert callback.latest == pytest.approx({"test/loss_precise_bn": loss, "test/acc_precise_bn": accuracy}, rel=1e-5)
    assert abs(running - loss) > 1e-3
    assert {tag: list(run.scalars(tag)) for tag in TAGS} == {tag: [run.trainer.global_step] for tag in TAGS}


def test_dropout_is_off_and_the_network_is_left_as_it_was(prepare):
    callback = PreciseBatchNorm()
    network = ConvStack((1, 4, 4), 3, nn.RReLU, blocks=2, width=4, dropout=0.5)
    run = prepare(network, arrays=table(shape=(1, 4, 4)), callbacks=[callback], max_epochs=1).run()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    modes = [one.training for one in network.modules()]
    found = []
    for seed in (1, 2):
        callback.latest = {}
        torch.manual_seed(seed)
        state = torch.get_rng_state()
        run.trainer.test(run.module, datamodule=run.data, verbose=False)
        assert torch.equal(torch.get_rng_state(), state)
        assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
        assert [one.training for one in network.modules()] == modes
        assert {one.momentum for one in network.modules() if isinstance(one, nn.BatchNorm2d)} == {0.1}
        found.append(callback.latest)
    assert found[0] == found[1]


def test_the_second_test_is_of_another_epoch_and_adds_nothing(prepare):
    callback = PreciseBatchNorm()
    run = trained_and_tested(prepare, small_mlp(norm="batch"), callback)
    first = dict(callback.latest)
    with torch.no_grad():
        run.network.layers[0].affine.weight.mul_(-3)
    run.trainer.test(run.module, datamodule=run.data, verbose=False)
    assert callback.latest == first


@pytest.mark.parametrize("norm", ["none", "layer"])
def test_a_network_without_batch_normalisation_is_not_tested_again(prepare, norm):
    callback = PreciseBatchNorm()
    run = trained_and_tested(prepare, small_mlp(norm=norm), callback)
    assert callback.latest == {}
    assert not TAGS & run.tags()


def test_float64_and_a_limited_test_set(prepare):
    callback = PreciseBatchNorm()
    network = small_mlp(blocks=1, norm="batch").double()
    options = {"precision": "64-true", "eval_batch_size": 1, "limit_test_batches": TEST - 1}
    run = trained_and_tested(prepare, network, callback, **options)
    loss, accuracy = by_hand(run, batches=TRAIN // BATCH, samples=TEST - 1)
    assert callback.latest["test/loss_precise_bn"] == pytest.approx(loss, rel=1e-12)
    assert callback.latest["test/acc_precise_bn"] == pytest.approx(accuracy, rel=1e-6)  # torchmetrics has float32
