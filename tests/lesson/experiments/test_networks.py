"""What the lesson measures in networks, against derivations by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from gradflow.lesson.experiments import dead_units, deep, fit, mistakes, nonlinearity, telephone, zero_centred
from gradflow.lesson.experiments.effort import QUICK
from gradflow.models.mlp import MLP


def linear_network(*, blocks, activation=nn.Identity, **options):
    return fit.make_mlp(activation, blocks=blocks, width=3, seed=5, inputs=3, outputs=2, **options).double()


# Why non-linearity


def test_two_linear_layers_collapse_to_their_product():
    network = MLP((2,), 1, nn.Identity, blocks=1, width=2)
    first, head = (layer.affine for layer in network.layers)
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
        first.bias.copy_(torch.tensor([1.0, -1.0]))
        head.weight.copy_(torch.tensor([[10.0, 100.0]]))
        head.bias.copy_(torch.tensor([5.0]))
    weight, bias = nonlinearity.collapse(network.layers)
    assert weight.tolist() == [[310.0, 420.0]]  # 10 (1, 2) + 100 (3, 4)
    assert bias.tolist() == [-85.0]  # 10 - 100 + 5


@pytest.fixture(scope="module")
def classifiers():
    effort = replace(QUICK, seeds=1, circle_steps=150, circle_depths=(1, 3))
    return {(one.activation, one.depth): one for one in nonlinearity.classifiers(effort, seed=0)}


def test_without_activations_depth_changes_nothing_and_the_matrix_is_the_network(classifiers):
    for depth in (1, 3):
        linear = classifiers["identity", depth]
        assert linear.difference < 1e-14
        assert 0.4 < linear.accuracy < 0.6  # chance: the classes have the same centre
        weights, bias = linear.collapsed
        x2, x1 = np.meshgrid(*[nonlinearity.cell_centres()] * 2, indexing="ij")
        assert linear.regions == pytest.approx(1 / (1 + np.exp(-(weights[0] * x1 + weights[1] * x2 + bias))), abs=1e-12)


def test_relu_tells_the_circles_apart(classifiers):
    relu = classifiers["relu", 3]
    centre, corner = relu.regions[nonlinearity.CELLS // 2, nonlinearity.CELLS // 2], relu.regions[0, 0]
    assert relu.accuracy > 0.95
    assert centre > 0.9
    assert corner < 0.1


# The telephone game


def test_the_bound_is_the_largest_slope_to_the_power_of_the_layers():
    layers = np.array([0, 1, 6])
    assert telephone.bound(nn.Sigmoid(), layers).tolist() == [1.0, 0.25, 1 / 4096]
    assert telephone.bound(nn.Tanh(), layers).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("residual", [False, True])
def test_the_signal_of_a_linear_network_is_a_product_of_its_matrices(residual):
    network = linear_network(blocks=2, residual=residual)
    first, second, head = (layer.affine.weight.detach() for layer in network.layers)
    x, y = torch.tensor([[0.3, -1.0, 2.0]], dtype=torch.float64), torch.tensor([1])
    error = torch.softmax(network(x), dim=1).detach() - torch.tensor([[0.0, 1.0]])  # of the logits, cross-entropy
    skip = torch.eye(3, dtype=torch.float64) if residual else 0.0
    gradients = [error @ head]
    gradients.append(gradients[-1] @ (second + skip))
    gradients.append(gradients[-1] @ (first + skip))
    expected = [float(gradient.norm() / gradients[0].norm()) for gradient in gradients]
    left, slopes = telephone.signal(network, x, y)
    assert left == pytest.approx(expected, rel=1e-12)
    assert slopes.tolist() == [1.0, 1.0, 1.0]


def test_the_slopes_that_the_signal_passes_are_counted_from_the_output():
    network = linear_network(blocks=2, activation=nn.Sigmoid)
    first, second, _ = (layer.affine for layer in network.layers)
    x = torch.tensor([[0.3, -1.0, 2.0], [1.0, 0.0, -1.0]], dtype=torch.float64)
    with torch.no_grad():
        one = torch.sigmoid(first(x))
        two = torch.sigmoid(second(one))
        rms = [math.sqrt(float((a * (1 - a)).square().mean())) for a in (two, one)]
    _, slopes = telephone.signal(network, x, torch.tensor([0, 1]))
    assert slopes == pytest.approx([1.0, rms[0], rms[0] * rms[1]], rel=1e-9)


@pytest.mark.slow
def test_signals_of_deep_networks_do_not_underflow():
    effort = replace(QUICK, signal_depths=(50,), seeds=1)
    signals = telephone.signals(effort, seed=0)
    through = signals[signals["layers"] == 50].set_index(["activation", "setting"])["mean"]
    assert 1e-60 < through["sigmoid", telephone.PLAIN] < 0.25**50
    assert 1e-2 < through["relu", telephone.RIGHT] < 1e2
    # A weight has variance 1 / (3 fan_in) and half of the units are on: a sixth of the power a layer.
    assert 0.05 < through["relu", telephone.PLAIN] / 6**-25 < 20


# Dead units


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


# Zero-centred or not


def test_the_commoner_sign():
    gradients = torch.tensor([[1.0, 2.0, 3.0, 4.0], [-1.0, 1.0, -1.0, -1.0], [0.0, 0.0, 1.0, -1.0]])
    assert zero_centred.shared_sign(gradients).tolist() == [1.0, 0.75, 0.25]


def test_what_chance_gives_the_commoner_sign():
    assert zero_centred.chance_share(1) == 1.0
    assert zero_centred.chance_share(2) == pytest.approx(0.75)  # both alike half of the time
    assert zero_centred.chance_share(4) == pytest.approx((2 * 1 + 8 * 0.75 + 6 * 0.5) / 16)


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_gradients_of_a_sample_have_the_signs_of_the_inputs_or_their_opposites(name):
    signs = zero_centred.sign_structure(name, seed=3)
    network = fit.make_mlp(zero_centred.ACTIVATIONS[name], blocks=2, width=zero_centred.WIDTH, seed=3)
    with torch.no_grad():
        inputs = network.blocks[0](fit.digit_data().x[: zero_centred.SAMPLES]).sign().numpy().astype(int)
    for row, expected in zip(signs.signs, inputs, strict=True):
        assert (row == expected).all() or (row == -expected).all()
    if name == "sigmoid":
        assert signs.shared.tolist() == [1.0] * zero_centred.SAMPLES
    else:
        assert 0.5 <= signs.shared.mean() < 0.7


def test_a_step_of_the_descent_is_the_error_times_the_inputs():
    frame = zero_centred.descent("tanh", seed=0)
    rng = zero_centred.numpy_generator(0, zero_centred.Stream.ORDER)
    first, second = np.tanh(rng.standard_normal(2))
    error = 0 - (first - second)  # weights 0, target (1, -1)
    step = [-zero_centred.STEP_SIZE * error * a for a in (first, second)]
    assert frame.loc[1, ["w1", "w2"]].tolist() == pytest.approx(step)
    assert frame.loc[1, "distance"] == pytest.approx(math.hypot(step[0] - 1, step[1] + 1))


def test_positive_inputs_move_both_weights_the_same_way():
    assert zero_centred.descent("sigmoid", seed=0)["same_sign"][1:].all()
    assert 0.2 < zero_centred.descent("tanh", seed=0)["same_sign"][1:].mean() < 0.8


# Deep networks


def test_a_deep_training_starts_from_the_network_of_the_setting_and_the_seed():
    setting = telephone.SETTINGS[2]
    trained = deep.train("tanh", setting, seed=4, epochs=1)
    network = fit.make_mlp(nn.Tanh, blocks=deep.BLOCKS, width=64, seed=4, scheme="torch", norm="batch").eval()
    right = (network(fit.digit_data().x_test).argmax(dim=1) == fit.digit_data().y_test).double().mean()
    assert setting.name == telephone.BATCHNORM
    assert trained["epoch"].tolist() == [0, 1]
    assert trained["accuracy"][0] == float(right)
    assert trained["accuracy"][1] > 0.5
    assert set(trained["activation"]) | set(trained["setting"]) == {"tanh", "BatchNorm"}


@pytest.mark.slow
def test_what_decides_whether_a_deep_network_learns():
    """What the lesson says of its first mistake, at full length."""
    settings = {setting.name: setting for setting in telephone.SETTINGS}

    def final(name, setting):
        return deep.train(name, settings[setting], seed=0, epochs=12)["accuracy"].iloc[-1]

    assert max(final(name, telephone.PLAIN) for name in deep.ACTIVATIONS) < 0.3
    assert final("sigmoid", telephone.RIGHT) < 0.2
    assert min(final(name, telephone.RIGHT) for name in ("tanh", "relu", "gelu")) > 0.7
    assert min(final("sigmoid", way) for way in (telephone.BATCHNORM, telephone.RESIDUAL)) > 0.8


# Mistakes


def test_softmax_twice_has_a_floor():
    perfect = torch.zeros(1, 10)
    perfect[0, 4] = 1e4
    assert float(mistakes.softmax_twice(perfect, torch.tensor([4]))) == pytest.approx(1.4611501717, abs=1e-6)
    assert mistakes.floor_of_softmax_twice(10) == pytest.approx(-math.log(math.e / (math.e + 9)))


def test_a_negative_logit_behind_relu_gets_no_gradient():
    logits = torch.tensor([[-1.0, 2.0, -3.0]], requires_grad=True)
    mistakes.relu_at_the_output(logits, torch.tensor([0])).backward()
    assert logits.grad[0, 0] == logits.grad[0, 2] == 0
    assert logits.grad[0, 1] > 0


@pytest.mark.parametrize("mistake", mistakes.MISTAKES)
def test_every_mistake_has_one_way_out(mistake):
    assert [way.is_mistake for way in mistakes.MISTAKES[mistake]].count(False) == 1


def test_who_watches_starts_anew_with_a_lower_rate():
    unwatched, watched = mistakes.MISTAKES["monitor"]
    careless = mistakes.train(unwatched, seed=0, epochs=2)
    careful = mistakes.train(watched, seed=0, epochs=2)
    assert careless.dead.max() > mistakes.TOO_MANY_DEAD >= careful.dead.max()
    lower = mistakes.train(replace(unwatched, rate=unwatched.rate / mistakes.CUT), seed=0, epochs=2)
    assert careful.accuracy.tolist() == lower.accuracy.tolist()


@pytest.mark.slow
def test_at_full_length_the_mended_way_is_better():
    for ways in mistakes.MISTAKES.values():
        final = {way.is_mistake: mistakes.train(way, seed=0, epochs=12).accuracy[-1] for way in ways}
        assert final[False] > final[True]
