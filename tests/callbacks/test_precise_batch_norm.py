"""Evaluation with recomputed statistics is that of a network whose statistics were computed by hand in float64."""

import copy

import pytest
import torch
from lightning.pytorch.callbacks import Callback
from small_runs import TEST, TRAIN, VALIDATION, small_mlp, table
from torch import nn
from torch.nn.functional import cross_entropy

from gradflow.callbacks.precise_batch_norm import PreciseBatchNorm, recomputed_statistics
from gradflow.callbacks.unit_statistics import UnitStatistics
from gradflow.measure.batch_norm import apply_statistics
from gradflow.models.conv import ConvStack
from gradflow.training.checkpoints import checkpoints

RUNNING = {"test/loss_running_bn", "test/acc_running_bn"}
RECOMPUTED = {"test/loss_recomputed_bn", "test/acc_recomputed_bn"}
BATCH = 4
ALL = 10_000


def evaluated(*, recomputes=True, samples=ALL):
    return PreciseBatchNorm(recomputes=recomputes, samples=samples)


def trained_and_tested(prepare, network, *callbacks, **options):
    run = prepare(network, callbacks=list(callbacks), batch_size=BATCH, lr=0.5, **options).run()
    run.trainer.test(run.module, datamodule=run.data, verbose=False)
    return run


class Weights(Callback):
    """Keeps the network as it is at every validation."""

    def __init__(self):
        self.seen = []

    def on_validation_end(self, trainer, pl_module):
        self.seen.append(copy.deepcopy(pl_module.network))


@torch.no_grad()
def by_hand(network, data, loader, *, batches, samples=None):
    """Loss and accuracy of Linear, BatchNorm, ReLU, Linear in float64, normalised by averages over these batches."""
    hidden, norm, head = (network.layers[0].affine, network.blocks[0].norm, network.layers[1].affine)
    hidden, head = copy.deepcopy(hidden).double(), copy.deepcopy(head).double()
    z_batches = [hidden(x.double()) for x, _ in list(data.whole_batches(samples=ALL))[:batches]]
    mean = torch.stack([z.mean(0) for z in z_batches]).mean(0)
    variance = torch.stack([z.var(0) for z in z_batches]).mean(0)  # Bessel-corrected, as torch's running variance is
    x, y = (torch.cat(parts)[:samples] for parts in zip(*loader, strict=True))
    z = (hidden(x.double()) - mean) / (variance + norm.eps).sqrt() * norm.weight.double() + norm.bias.double()
    outputs = head(z.relu())
    return float(cross_entropy(outputs, y)), float((outputs.argmax(1) == y).double().mean())


@pytest.mark.parametrize(("samples", "batches"), [(ALL, TRAIN // BATCH), (2 * BATCH, 2), (BATCH + 1, 2)])
def test_every_evaluation_normalises_by_whole_training_batches_at_the_weights_evaluated(prepare, samples, batches):
    network = small_mlp(blocks=1, norm="batch")
    run = trained_and_tested(prepare, network, evaluated(samples=samples), weights := Weights(), max_epochs=3)
    by_epoch = weights.seen
    losses = run.scalars("val/loss")
    assert len(by_epoch) == len(losses) == 3
    for at_epoch, loss in zip(by_epoch, losses.values(), strict=True):
        expected, _ = by_hand(at_epoch, run.data, run.data.val_dataloader(), batches=batches)
        assert loss == pytest.approx(expected, rel=1e-5)
    loss, accuracy = by_hand(network, run.data, run.data.test_dataloader(), batches=batches)
    assert run.module.test_scores == pytest.approx({"test/loss": loss, "test/acc": accuracy}, rel=1e-5)


def running_scores(network, data):
    """By PyTorch's own evaluation."""
    x, y = (torch.cat(parts) for parts in zip(*data.test_dataloader(), strict=True))
    with torch.no_grad():
        outputs = copy.deepcopy(network).eval()(x)
    return float(cross_entropy(outputs, y)), float((outputs.argmax(1) == y).float().mean())


def test_the_score_by_running_averages_stands_beside_that_of_recomputed_statistics(prepare):
    network, callback = small_mlp(blocks=1, norm="batch"), evaluated()
    run = trained_and_tested(prepare, network, callback, max_epochs=3)
    loss, accuracy = running_scores(network, run.data)
    assert callback.latest == pytest.approx({"test/loss_running_bn": loss, "test/acc_running_bn": accuracy}, rel=1e-5)
    assert abs(run.module.test_scores["test/loss"] - loss) > 1e-3
    assert {tag: list(run.scalars(tag)) for tag in RUNNING} == {tag: [run.trainer.global_step] for tag in RUNNING}


def test_evaluation_can_be_left_to_the_running_averages(prepare):
    network, callback = small_mlp(blocks=1, norm="batch"), evaluated(recomputes=False)
    run = trained_and_tested(prepare, network, callback, max_epochs=3)
    loss, accuracy = running_scores(network, run.data)
    assert run.module.test_scores == pytest.approx({"test/loss": loss, "test/acc": accuracy}, rel=1e-5)
    loss, accuracy = by_hand(network, run.data, run.data.test_dataloader(), batches=TRAIN // BATCH)
    other = {"test/loss_recomputed_bn": loss, "test/acc_recomputed_bn": accuracy}
    assert callback.latest == pytest.approx(other, rel=1e-5)


def state_after(prepare, *callbacks):
    network = ConvStack((1, 4, 4), 3, nn.RReLU, blocks=2, width=4, dropout=0.5)
    torch.manual_seed(0)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.3)
    run = prepare(network, arrays=table(shape=(1, 4, 4)), callbacks=list(callbacks), max_epochs=2).run()
    run.trainer.test(run.module, datamodule=run.data, verbose=False)
    return run, network.state_dict()


def test_training_and_running_averages_are_bit_identical_to_those_without_it(prepare):
    _, without = state_after(prepare, UnitStatistics())
    run, state = state_after(prepare, evaluated(), UnitStatistics())
    assert all(torch.equal(value, without[name]) for name, value in state.items())
    assert {one.momentum for one in run.network.modules() if isinstance(one, nn.BatchNorm2d)} == {0.1}


def test_tests_draw_no_random_numbers_and_agree_with_one_another(prepare):
    run, _ = state_after(prepare, evaluated())
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        state = torch.get_rng_state()
        run.trainer.test(run.module, datamodule=run.data, verbose=False)
        assert torch.equal(torch.get_rng_state(), state)
        found.append(run.module.test_scores)
    assert found[0] == found[1]


class Samples(UnitStatistics):
    """Counts the samples that the network sees while a monitor listens."""

    def __init__(self):
        super().__init__()
        self.counted = 0

    def on_validation_start(self, trainer, pl_module):
        self.counted = 0
        super().on_validation_start(trainer, pl_module)
        self.hook = pl_module.network.layers[0].affine.register_forward_hook(self._count)

    def on_validation_end(self, trainer, pl_module):
        super().on_validation_end(trainer, pl_module)
        self.hook.remove()

    def _count(self, module, inputs, output):
        self.counted += len(output)


def test_monitors_see_the_validation_set_only(prepare):
    prepare(small_mlp(norm="batch"), callbacks=[evaluated(), monitor := Samples()]).run()
    assert monitor.counted == VALIDATION


def test_before_the_first_update_units_are_judged_by_the_datas_own_statistics(prepare):
    """A bias of -3 kills every ReLU by running averages of (0, 1) and almost none after normalisation."""
    network = small_mlp(blocks=1, norm="batch", width=50)
    with torch.no_grad():
        network.layers[0].affine.bias.fill_(-3.0)
    dead = {}
    for recomputes in (False, True):
        units = UnitStatistics()
        prepare(copy.deepcopy(network), callbacks=[evaluated(recomputes=recomputes), units], max_epochs=1).run()
        dead[recomputes] = units.first["dead_units/total"]
    assert dead[False] > 0.5
    assert dead[True] < 0.1


def test_a_checkpoint_holds_the_statistics_of_its_validation(prepare, tmp_path):
    network = small_mlp(blocks=1, norm="batch")
    run = prepare(network, callbacks=[evaluated()], batch_size=BATCH, lr=0.5, max_epochs=3)
    run.trainer.callbacks += checkpoints(tmp_path, run.module.task)
    run.run()
    checkpoint = torch.load(tmp_path / "checkpoints" / "best.ckpt", weights_only=True)
    run.module.load_state_dict(checkpoint["state_dict"])
    run.trainer.test(run.module, datamodule=run.data, verbose=False)
    loaded = small_mlp(blocks=1, norm="batch")
    weights = {name.removeprefix("network."): value for name, value in checkpoint["state_dict"].items()}
    loaded.load_state_dict(weights)
    running, _ = running_scores(loaded, run.data)
    apply_statistics(loaded, recomputed_statistics(checkpoint))
    loss, accuracy = running_scores(loaded, run.data)
    assert run.module.test_scores == pytest.approx({"test/loss": loss, "test/acc": accuracy}, rel=1e-6)
    assert abs(running - loss) > 1e-3


def test_the_second_test_is_of_another_epoch_and_adds_nothing(prepare):
    run = trained_and_tested(prepare, small_mlp(norm="batch"), callback := evaluated())
    first = dict(callback.latest)
    with torch.no_grad():
        run.network.layers[0].affine.weight.mul_(-3)
    run.trainer.test(run.module, datamodule=run.data, verbose=False)
    assert callback.latest == first


@pytest.mark.parametrize("recomputes", [True, False])
@pytest.mark.parametrize("norm", ["none", "layer"])
def test_a_network_without_batch_normalisation_is_not_tested_again(prepare, norm, recomputes):
    run = trained_and_tested(prepare, small_mlp(norm=norm), callback := evaluated(recomputes=recomputes))
    assert callback.latest == {}
    assert not (RUNNING | RECOMPUTED) & run.tags()


def test_float64_and_a_limited_test_set(prepare):
    network = small_mlp(blocks=1, norm="batch").double()
    options = {"precision": "64-true", "eval_batch_size": 1, "limit_test_batches": TEST - 1}
    run = trained_and_tested(prepare, network, evaluated(), **options)
    loader = run.data.test_dataloader()
    loss, accuracy = by_hand(network, run.data, loader, batches=TRAIN // BATCH, samples=TEST - 1)
    assert run.module.test_scores["test/loss"] == pytest.approx(loss, rel=1e-12)
    assert run.module.test_scores["test/acc"] == pytest.approx(accuracy, rel=1e-6)  # torchmetrics has float32
