"""What kills units and what keeps them alive."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from gradflow.lesson.experiments import dead_units, fit
from gradflow.lesson.experiments.effort import QUICK


def test_a_unit_is_dead_when_it_is_off_for_every_test_digit():
    network = fit.make_mlp(nn.ReLU, blocks=2, width=16, seed=0)
    with torch.no_grad():
        network.layers[0].affine.bias[:8] = torch.linspace(-30, 0, 8)
        z = network.layers[0].affine(fit.digit_data().x_test)
    first, second = fit.dead_units(network)
    assert first.tolist() == (z <= 0).all(dim=0).tolist()
    assert 0 < first.sum() < 16
    assert fit.dead_fraction([first, second]) == (first.sum() + second.sum()) / 32


def test_counting_leaves_no_hook_behind():
    network = fit.make_mlp(nn.ReLU, blocks=1, width=4, seed=0)
    fit.dead_units(network)
    assert not network.layers[0].activation._forward_pre_hooks


@pytest.mark.parametrize("cause", dead_units.RECIPES)
def test_every_cure_changes_one_thing(cause):
    recipes = dict(dead_units.RECIPES[cause])
    ill = recipes.pop(dead_units.FAILS)
    for name, cure in recipes.items():
        initialisation = (cure.bias, cure.options["scheme"]) != (ill.bias, ill.options["scheme"])
        norm = cure.options.get("norm") != ill.options.get("norm")
        changes = [cure.rate != ill.rate, initialisation, norm, cure.activation is not ill.activation]
        assert sum(changes) == 1, name


def test_a_bad_bias_kills_and_a_leak_keeps_alive():
    ill, leaky = (dead_units.RECIPES[dead_units.BIAS_CAUSE][name] for name in (dead_units.FAILS, "leaky ReLU"))
    effort = replace(QUICK, seeds=1, epochs=1)
    dead, alive = (dead_units.average(recipe, effort, 0) for recipe in (ill, leaky))
    assert dead.dead[0] > 0.5
    assert alive.dead.tolist() == [0.0, 0.0]
    assert dead.units.shape == (2, dead_units.BLOCKS * dead_units.WIDTH)
    assert dead.dead[1] == dead.units[1].mean()
