"""Unit statistics on networks built to have known dead, low-slope and dormant units."""

import pytest
import torch
from lightning.pytorch.callbacks import Callback
from small_runs import VALIDATION, small_mlp, table
from torch import nn

from gradflow.activations import Maxout
from gradflow.callbacks.monitor import Monitor
from gradflow.callbacks.unit_statistics import UnitStatistics
from gradflow.models.conv import ConvStack

QUANTITIES = ("dead_units", "low_slope", "dormant_units")


def constant(layer, preactivations):
    """Make a layer's pre-activations independent of its input."""
    with torch.no_grad():
        layer.affine.weight.zero_()
        layer.affine.bias.copy_(torch.tensor(preactivations))


def built_mlp(activation, first, second):
    network = small_mlp(activation, blocks=2, width=[len(first), len(second)])
    constant(network.layers[0], first)
    constant(network.layers[1], second)
    return network


def at_step_0(run, tags):
    return {tag: run.scalars(tag)[0] for tag in tags}


def test_relu_layers_with_known_dead_units_and_their_total(fit):
    network = built_mlp(nn.ReLU, [-1.0, 1, 2, 3], [-1.0, 0, 1] + [-5.0] * 8 + [1e-9])
    with torch.no_grad():
        network.layers[0].affine.weight[1, 0] = 1e6  # this unit has the sign of the first feature
    run = fit(network, callbacks=[UnitStatistics()])
    x, _ = next(iter(run.data._loader(run.data.split.validation, batch_size=VALIDATION)))
    off = int((x[:, 0] < 0).sum())
    assert 0 < off < VALIDATION
    assert at_step_0(run, ["dead_units/01_block", "dead_units/02_block", "dead_units/total"]) == {
        "dead_units/01_block": 0.25,
        "dead_units/02_block": pytest.approx(10 / 12),
        "dead_units/total": pytest.approx(11 / 16),  # not the mean of the two layers
    }
    assert at_step_0(run, ["low_slope/01_block", "low_slope/02_block", "low_slope/total"]) == {
        "low_slope/01_block": pytest.approx((VALIDATION + off) / (4 * VALIDATION)),
        "low_slope/02_block": pytest.approx(10 / 12),
        "low_slope/total": pytest.approx((VALIDATION + off + 10 * VALIDATION) / (16 * VALIDATION)),
    }
    assert at_step_0(run, ["dormant_units/01_block", "dormant_units/02_block", "dormant_units/total"]) == {
        "dormant_units/01_block": 0.75,  # 2 and 3 are nothing beside the unit that reaches 1e6
        "dormant_units/02_block": pytest.approx(11 / 12),
        "dormant_units/total": pytest.approx(14 / 16),
    }


@pytest.mark.parametrize(
    ("activation", "preactivations", "dead", "low", "dormant"),
    [
        (nn.Sigmoid, [20.0, 20, -20, 0], 0.75, 0.75, 0.25),  # stuck at 1, 1 and 0
        (nn.ELU, [-20.0, -20, 1, -1], 0.5, 0.5, 0.0),  # stuck at -1
        (nn.Tanh, [4.0, 10, 0, 0.1], 0.25, 0.5, 0.25),
        (lambda: nn.ReLU(inplace=True), [-1.0, -2, 1, 1], 0.5, 0.5, 0.5),
        (lambda: nn.ELU(inplace=True), [-20.0, 1, 1, 1], 0.25, 0.25, 0.0),
        (nn.ReLU, [-1.0, -1, -1, -1], 1.0, 1.0, 1.0),  # all zero: all dormant
    ],
)
@pytest.mark.parametrize("model", ["mlp", "conv"])
def test_stuck_units_of_any_function(fit, model, activation, preactivations, dead, low, dormant):
    if model == "mlp":
        network, arrays = built_mlp(activation, preactivations, [0.5, 0.5]), None
    else:
        network, arrays = ConvStack((1, 4, 4), 3, activation, blocks=1, width=4, norm="none"), table(shape=(1, 4, 4))
        constant(network.layers[0], preactivations)
    run = fit(network, arrays=arrays, callbacks=[UnitStatistics()], max_steps=1)
    name = network.layers[0].name
    assert at_step_0(run, [f"{quantity}/{name}" for quantity in QUANTITIES]) == {
        f"dead_units/{name}": dead,
        f"low_slope/{name}": low,
        f"dormant_units/{name}": dormant,
    }


def test_maxout_has_dormant_units_and_no_slopes(fit):
    network = small_mlp(Maxout, blocks=1, width=2)
    constant(network.layers[0], [1.0, 2, -1, 0])
    run = fit(network, callbacks=[UnitStatistics()])
    assert {tag for tag in run.tags() if "units" in tag or "slope" in tag} == {
        "dormant_units/01_block",
        "dormant_units/total",
    }
    assert run.scalars("dormant_units/01_block")[0] == 0.5


class OwnTanh(nn.Module):
    def forward(self, z):
        return torch.tanh(z)


@pytest.mark.parametrize("activation", [nn.Tanh, OwnTanh])
def test_bfloat16_autocast_does_not_kill_tanh_units(fit, activation):
    network = built_mlp(activation, [4.0] * 4, [0.0] * 4)
    run = fit(network, callbacks=[UnitStatistics()], precision="bf16-mixed", max_steps=1)
    assert run.scalars("dead_units/01_block")[0] == 0
    assert run.scalars("low_slope/01_block")[0] == 1


def test_statistics_are_those_of_the_whole_validation_set_however_it_is_cut(fit):
    runs = [
        fit(small_mlp(width=8), callbacks=[UnitStatistics()], eval_batch_size=size, max_epochs=1)
        for size in (4, VALIDATION, 1)
    ]
    tags = {tag for tag in runs[0].tags() if tag.startswith(QUANTITIES)}
    assert len(tags) == 3 * 3
    for tag in tags:
        assert runs[0].scalars(tag) == runs[1].scalars(tag) == runs[2].scalars(tag)
    assert 0 < runs[0].scalars("low_slope/total")[0] < 1


def test_statistics_come_before_the_first_update_and_after_every_epoch(fit):
    network = built_mlp(nn.ReLU, [-1.0, 1, 1, 1], [1.0] * 4)
    run = fit(network, callbacks=[callback := UnitStatistics()], lr=1e4)  # one update kills or revives nearly anything
    dead = run.scalars("dead_units/01_block")
    assert list(dead) == [0, 4, 8]
    assert dead[0] == 0.25
    assert (callback.first["dead_units/01_block"], callback.latest["dead_units/01_block"]) == (dead[0], dead[8])


class Own(Monitor):
    def __init__(self, *, asks):
        self.measures_initial_weights = asks
        self.steps = []

    def on_validation_end(self, trainer, pl_module):
        self.steps.append(trainer.global_step)


def test_any_monitor_may_ask_for_the_pass_before_the_first_update(fit):
    fit(callbacks=[own := Own(asks=True)])
    assert own.steps == [0, 4, 8]
    fit(callbacks=[own := Own(asks=False)])
    assert own.steps == [4, 8]
    fit(callbacks=[own := Own(asks=False), UnitStatistics()])
    assert own.steps == [0, 4, 8]


def test_evaluation_mode_without_dropout_is_what_is_measured(fit):
    network = small_mlp(blocks=2, width=8, dropout=0.9)
    constant(network.layers[0], [1.0] * 8)
    run = fit(network, callbacks=[UnitStatistics()])
    assert run.scalars("dead_units/01_block")[0] == 0
    assert run.scalars("dormant_units/01_block")[0] == 0


@pytest.mark.parametrize("off", QUANTITIES)
def test_each_quantity_can_be_switched_off(fit, off):
    run = fit(max_steps=1, callbacks=[UnitStatistics(**{off: False})])
    for quantity in QUANTITIES:
        assert any(tag.startswith(quantity) for tag in run.tags()) == (quantity != off)


def test_nothing_is_written_with_all_quantities_off(fit):
    run = fit(max_steps=1, callbacks=[UnitStatistics(**dict.fromkeys(QUANTITIES, False))])
    assert not any(tag.startswith(QUANTITIES) for tag in run.tags())


def hooks(network):
    return [hook for m in network.modules() for hook in (*m._forward_hooks.values(), *m._forward_pre_hooks.values())]


def test_hooks_are_there_for_the_validation_pass_only(fit):
    class Count(Callback):
        training, validation = 1, 0

        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
            self.training = len(hooks(pl_module.network))

        def on_validation_batch_start(self, trainer, pl_module, batch, batch_idx, dataloader_idx=0):
            self.validation = len(hooks(pl_module.network))

    run = fit(callbacks=[UnitStatistics(), count := Count()])
    assert (count.training, count.validation) == (0, 4)
    run.trainer.test(run.module, datamodule=run.data, verbose=False)
    assert hooks(run.network) == []
    assert len(run.scalars("dead_units/total")) == 3  # the test pass adds none


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_hooks_are_removed_after_an_exception_in_validation(prepare, error):
    class Fail(Callback):
        def on_validation_batch_end(self, trainer, pl_module, *arguments):
            raise error("stop")

    run = prepare(callbacks=[UnitStatistics(), Fail()])
    with pytest.raises((RuntimeError, SystemExit)):
        run.run()
    assert hooks(run.network) == []
    assert not any(tag.startswith(QUANTITIES) for tag in run.tags())


def test_the_first_values_survive_a_checkpoint(fit, prepare):
    first = fit(callbacks=[before := UnitStatistics()])
    first.trainer.save_checkpoint(first.folder / "half.ckpt")
    rest = prepare(first.network, callbacks=[after := UnitStatistics()], max_epochs=3)
    rest.trainer.fit(rest.module, datamodule=rest.data, ckpt_path=first.folder / "half.ckpt", weights_only=True)
    assert list(rest.scalars("dead_units/total")) == [12]
    assert after.first == before.first
    assert after.latest["dead_units/total"] == pytest.approx(rest.scalars("dead_units/total")[12], rel=1e-6)
