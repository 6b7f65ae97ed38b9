"""Each kind of warning comes once a run, and only where there is something to warn of."""

import logging

import pytest
import torch
from small_runs import small_mlp, table
from torch import nn

from gradflow.callbacks.gradient_norms import GradientNorms
from gradflow.callbacks.health_warnings import HealthWarnings
from gradflow.callbacks.unit_statistics import UnitStatistics


@pytest.fixture
def warnings(fit, caplog):
    def of(network, **options):
        with caplog.at_level(logging.WARNING, logger="gradflow"):
            fit(
                network,
                callbacks=[GradientNorms(), UnitStatistics(), HealthWarnings(**options.pop("limits", {}))],
                **options,
            )
        return [record.getMessage() for record in caplog.records if record.name.startswith("gradflow")]

    return of


def half_dead(*, layer=1, dead=3):
    network = small_mlp(blocks=2, width=6)
    with torch.no_grad():
        network.layers[layer].affine.weight[:dead] = 0
        network.layers[layer].affine.bias[:dead] = -100
        network.layers[layer].affine.bias[dead:] = 10
    return network


def test_a_healthy_run_has_no_warning(warnings):
    assert warnings(small_mlp(nn.Tanh)) == []


def test_vanishing_gradients_name_the_layer_and_remedies_once(warnings):
    (message,) = warnings(small_mlp(nn.Sigmoid, blocks=8), max_epochs=3)
    assert message.startswith("gradients vanish: 01_block gets ")
    assert "model.norm=batch" in message
    assert "threshold 0.001" in message


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"blocks": 4, "init": {"name": "torch"}, "model": {"name": "custom"}}, "init=he or fewer blocks"),
        ({"blocks": 4, "init": {"name": "he"}, "model": {"name": "vit", "norm": "none"}}, "fewer blocks"),
        ({"blocks": None, "init": {"name": "he"}, "model": {"norm": "none"}}, "model.norm=batch"),
    ],
)
def test_no_remedy_is_named_that_the_network_has_no_place_for(fit, caplog, config, named):
    health = HealthWarnings()
    health.run_config = config
    with caplog.at_level(logging.WARNING, logger="gradflow"):
        fit(small_mlp(nn.Sigmoid, blocks=8), callbacks=[GradientNorms(), health])
    assert caplog.records[-1].getMessage().endswith(f"Try, unless in use: {named}")


def test_gradients_that_are_all_zero_have_vanished(warnings):
    network = small_mlp(nn.ReLU, blocks=3)
    nn.init.constant_(network.layers[1].affine.bias, -1e6)
    messages = warnings(network)
    assert [message.split(":")[0] for message in messages] == [
        "gradients vanish",
        "100% of the units of 02_block are dead",
    ]
    assert "01_block gets 0.0e+00" in messages[0]


def test_exploding_gradients_are_reported_once(warnings):
    (message,) = warnings(small_mlp(nn.Identity), arrays=table(), lr=0.0, limits={"exploding_norm": 1e-3}, max_epochs=3)
    assert message.startswith("gradients explode: the norm of grad_norm/total averaged ")
    assert "optimizer.lr" in message
    assert "trainer.gradient_clip_val=1" in message


def test_dead_units_name_the_worst_layer_once(warnings):
    (message,) = warnings(half_dead(), lr=1e-6, max_epochs=3)
    assert message.startswith("50% of the units of 02_block are dead")
    assert "activation=leaky_relu" in message
    assert "threshold 20%" in message


@pytest.mark.parametrize(("limit", "warned"), [(0.5, 0), (0.49, 1)])
def test_the_share_of_dead_units_must_exceed_its_threshold(warnings, limit, warned):
    assert len(warnings(half_dead(), lr=1e-6, max_epochs=1, limits={"dead_fraction": limit})) == warned


def test_quantities_that_are_not_written_are_watched_all_the_same(fit, caplog):
    silent = GradientNorms(norm=False, rms=False, abs_mean=False, flow=False)
    with caplog.at_level(logging.WARNING, logger="gradflow"):
        fit(small_mlp(nn.Sigmoid, blocks=8), callbacks=[silent, HealthWarnings()], max_epochs=1)
    assert "gradients vanish" in caplog.text


def test_without_monitors_there_is_nothing_to_say(fit, caplog):
    fit(small_mlp(nn.Sigmoid, blocks=8), callbacks=[HealthWarnings()], max_epochs=1)
    assert "gradients vanish" not in caplog.text


def test_a_network_of_ones_own_gets_no_keys_that_its_configuration_lacks(warnings):
    network = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3))
    nn.init.constant_(network[0].bias, -1e6)
    messages = warnings(network)
    assert messages[-1].endswith("leaky ReLU, He initialisation, a lower learning rate or normalisation")
    assert not any("model." in message for message in messages)
