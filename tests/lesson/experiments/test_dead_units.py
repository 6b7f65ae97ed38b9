"""What kills units and what keeps them alive."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from gradflow.lesson.experiments import dead_units, fit
from gradflow.lesson.experiments.effort import FULL, QUICK
from gradflow.lesson.sections.dead_units import section


def test_a_unit_is_dead_when_it_is_off_for_every_test_digit():
    network = fit.make_mlp(nn.ReLU, blocks=2, width=16, seed=0)
    with torch.no_grad():
        network.layers[0].affine.bias[:8] = torch.linspace(-30, 0, 8)
        z = network.layers[0].affine(fit.digit_data().x_test)
    first, _ = fit.dead_units(network)
    assert first.tolist() == (z <= 0).all(dim=0).tolist()
    assert 0 < first.sum() < 16


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


def dead_unit():
    """One ReLU unit that has just received a gradient, and an input for which it is off."""
    unit = nn.Linear(1, 1)
    with torch.no_grad():
        unit.weight.fill_(1.0)
        unit.bias.fill_(-0.1)
    return unit, torch.ones(1, 1), -torch.ones(1, 1)


def steps_without_a_gradient(optimizer, unit, x, *, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        torch.relu(unit(x)).sum().backward()
        assert unit.weight.grad.abs().sum() == 0
        optimizer.step()


def test_a_dead_unit_is_moved_by_adams_momentum_and_by_weight_decay_but_not_by_gradients():
    moved = {}
    for name, make in {
        "plain": lambda p: torch.optim.SGD(p, lr=0.1),
        "decay": lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.1),
        "Adam": lambda p: torch.optim.Adam(p, lr=0.1),
    }.items():
        unit, on, off = dead_unit()
        optimizer = make(unit.parameters())
        if name == "Adam":  # a gradient of before: the loss wants a smaller output
            torch.relu(unit(on)).sum().backward()
            optimizer.step()
        before = unit.weight.detach().clone()
        steps_without_a_gradient(optimizer, unit, off, steps=2)
        moved[name] = not torch.equal(unit.weight, before)
    assert moved == {"plain": False, "decay": True, "Adam": True}


def test_adams_momentum_wakes_a_dead_unit():
    unit, on, off = dead_unit()
    optimizer = torch.optim.Adam([unit.weight], lr=0.1)
    torch.relu(unit(on)).sum().backward()  # pushes the weight down: for the other input, z grows
    optimizer.step()
    with torch.no_grad():
        unit.weight.fill_(0.05)  # z is -0.15 for the other input
    steps_without_a_gradient(optimizer, unit, off, steps=3)
    assert float(unit(off).detach()) > 0


def test_woken_units_are_counted_over_the_epochs_after_updates():
    units = np.array([[1, 0, 0, 0], [0, 1, 1, 0], [0, 1, 0, 0], [0, 1, 0, 0]], dtype=bool)
    training = dead_units.Training(dead=np.zeros(4), accuracy=np.zeros(4), units=units)
    assert (training.ever_dead, training.woken) == (2, 1)


def forged(cause_accuracies):
    """A training that ends at each accuracy, with half of the units dead where nothing was cured."""
    return {
        cause: {
            cure: dead_units.Training(
                dead=np.array([0.1, 0.5 if cure == dead_units.FAILS else 0.0]),
                accuracy=np.array([0.1, accuracy]),
                units=np.zeros((2, dead_units.BLOCKS * dead_units.WIDTH), dtype=bool),
            )
            for cure, accuracy in zip(dead_units.RECIPES[cause], accuracies, strict=True)
        }
        for cause, accuracies in zip(dead_units.RECIPES, cause_accuracies, strict=True)
    }


def folded(made, number):
    return " ".join(made.parts[number].parts[0].paragraphs).replace("\N{NO-BREAK SPACE}", " ")


def test_the_words_follow_the_trainings():
    # no cure, leaky ReLU, He initialisation, a tenth of the rate, BatchNorm
    made = section(forged([(0.7, 0.89, 0.4, 0.97, 0.95), (0.1, 0.88, 0.97, 0.1, 0.96)]), seeds=3)
    found = made.parts[0].found.replace("\N{NO-BREAK SPACE}", " ")
    assert "At a large rate (Adam at 0.05), 50 % of the units end up dead; at a tenth of it, 0 %." in found
    assert "A bias of \N{MINUS SIGN}2 kills 10 % before training" in found
    cures = folded(made, 1)
    assert "against the large learning rate, a tenth of the rate and BatchNorm" in cures
    assert "against the bad bias, He initialisation and BatchNorm. Against both: BatchNorm." in cures
    assert "below the 97 % of a tenth of the rate. No unit dies, and the rate is still too large." in cures
    made = section(forged([(0.7, 0.99, 0.4, 0.97, 0.8), (0.8, 0.7, 0.2, 0.1, 0.6)]), seeds=3)
    cures = folded(made, 1)
    assert "against the bad bias, no cure. Against both: no cure." in cures
    assert "too large" not in cures


def test_waking_is_called_rare_where_it_is():
    trained = forged([(0.7,) * 5, (0.7,) * 5])
    ill = trained[dead_units.RATE_CAUSE][dead_units.FAILS]
    for woken, is_rare in ((1, True), (5, False)):
        units = np.zeros((3, dead_units.BLOCKS * dead_units.WIDTH), dtype=bool)
        units[1, :10] = True
        units[2, woken:10] = True
        trained[dead_units.RATE_CAUSE][dead_units.FAILS] = replace(ill, units=units)
        waking = folded(section(trained, seeds=3), 2)
        assert ("It is rare." in waking) == is_rare
        assert (
            f"Of the 10 units of the first seed that were dead after some epoch at the large rate, {woken} are"
            in waking
        )


def test_the_monitored_rate_is_the_one_at_which_few_units_die():
    """The mistakes' mended training is this one: whoever counts stops there."""
    recipe = dead_units.RECIPES[dead_units.RATE_CAUSE][dead_units.LOWER]
    assert recipe.rate == dead_units.HIGH_RATE / dead_units.CUT
    effort = replace(QUICK, seeds=1, epochs=2)
    failing = dead_units.average(dead_units.RECIPES[dead_units.RATE_CAUSE][dead_units.FAILS], effort, 0)
    assert failing.dead.max() > dead_units.TOO_MANY_DEAD > dead_units.average(recipe, effort, 0).dead.max()


@pytest.mark.slow
def test_what_the_section_shows_at_full_length():
    ends = {
        cause: {name: dead_units.average(recipe, replace(FULL, seeds=1), 0) for name, recipe in recipes.items()}
        for cause, recipes in dead_units.RECIPES.items()
    }
    fast, biased = (ends[cause] for cause in (dead_units.RATE_CAUSE, dead_units.BIAS_CAUSE))
    assert fast[dead_units.FAILS].dead[-1] > fast[dead_units.FAILS].dead[0] + 0.1
    assert fast[dead_units.LOWER].accuracy[-1] > 0.9 > fast["He initialisation"].accuracy[-1]
    assert biased["He initialisation"].accuracy[-1] > 0.9 > 0.2 > biased[dead_units.LOWER].accuracy[-1]
    assert fast["leaky ReLU"].accuracy[-1] < fast[dead_units.LOWER].accuracy[-1]
    for one in (fast, biased):
        assert one["BatchNorm"].accuracy[-1] > 0.9
        assert one["BatchNorm"].dead[0] < 0.01
        assert one["leaky ReLU"].dead.max() == 0
