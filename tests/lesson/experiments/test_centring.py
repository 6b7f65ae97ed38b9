"""Centred or not, at each function's own best rate: choosing rates, one unit, and networks that start the same."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.integrate import quad
from scipy.stats import norm, ttest_1samp
from torch import nn

from gradflow.lesson.experiments import centred_network, centred_unit, centring, fit, zero_centred
from gradflow.lesson.experiments.centring import ADAM, NARROW, PAIRS, SGD, SIGMOID, SIGMOID_DOWN, TANH, TANH_UP
from gradflow.lesson.experiments.effort import FULL, QUICK
from gradflow.lesson.sections import centred_unit as centred_unit_section
from gradflow.lesson.sections.centred_unit import curvature
from gradflow.lesson.sections.zero_centred import Measured, section

FORMULAS = {
    TANH: math.tanh,
    TANH_UP: lambda z: math.tanh(z) + 1,
    SIGMOID_DOWN: lambda z: math.tanh(z / 2) / 2,
    SIGMOID: lambda z: (1 + math.tanh(z / 2)) / 2,
}


@pytest.mark.parametrize("name", FORMULAS)
def test_mean_and_spread_of_a_function(name):
    moments = [quad(lambda z, k=k: FORMULAS[name](z) ** k * norm.pdf(z), -12, 12)[0] for k in (1, 2)]
    function = centring.FUNCTIONS[name]
    assert float(function.apply(torch.tensor(0.7, dtype=torch.float64))) == pytest.approx(FORMULAS[name](0.7))
    assert function.mean == pytest.approx(moments[0], abs=1e-9)
    assert function.spread == pytest.approx(math.sqrt(moments[1] - moments[0] ** 2), rel=1e-9)


def test_a_pair_differs_by_a_constant_and_the_narrow_tanh_has_the_spread_of_the_sigmoid():
    z = torch.linspace(-5, 5, 101, dtype=torch.float64)
    for (centred, shifted), constant in zip(PAIRS, (1.0, 0.5), strict=True):
        apply = {name: centring.FUNCTIONS[name].apply(z) for name in (centred, shifted)}
        assert (apply[shifted] - apply[centred]).tolist() == pytest.approx([constant] * 101)
        assert centring.FUNCTIONS[centred].mean == pytest.approx(0, abs=1e-12)
    narrow, tanh = centring.FUNCTIONS[NARROW], centring.FUNCTIONS[TANH]
    assert narrow.spread == pytest.approx(centring.FUNCTIONS[SIGMOID].spread)
    assert (narrow.apply(z) / tanh.apply(z))[z != 0].std() == pytest.approx(0, abs=1e-12)


def test_a_rate_is_chosen_by_seeds_that_are_not_measured_and_not_by_one_that_diverged():
    asked = []

    def run(rates, seeds):
        asked.append((list(rates), list(seeds)))
        left = {0.1: 4.0, 0.2: 1.0, 0.4: 1e-9}
        table = np.array([[left[rate] * (1 + seed % 2) for seed in seeds] for rate in rates])
        table[np.array(rates) == 0.4, -1] = np.nan  # the fastest, but for one seed
        return table

    found = centring.tuned(run, [0.1, 0.2, 0.4], seed=3, tuning=2, seeds=4)
    assert found.rate == 0.2
    assert found.by_rate.tolist() == pytest.approx([4 * math.sqrt(2), math.sqrt(2), math.inf])
    assert found.reached.tolist() == [2, 1, 2, 1]
    (all_rates, tuning), (best, measured) = asked
    assert (all_rates, best, measured) == ([0.1, 0.2, 0.4], [0.2], [3, 4, 5, 6])
    assert len(tuning) == 2
    assert not set(tuning) & set(measured)


def test_times_as_much_is_the_geometric_mean_of_paired_ratios_with_its_t_interval():
    shifted, centred = np.array([2.0, 8.0, 4.0]), np.array([1.0, 2.0, 4.0])
    ratio = centring.times_as_much(*(centring.Tuned(1.0, np.ones(1), reached) for reached in (shifted, centred)))
    assert ratio.mean == pytest.approx(2.0)
    interval = ttest_1samp(np.log10(shifted / centred), 0).confidence_interval()
    assert (ratio.low, ratio.high) == pytest.approx((10**interval.low, 10**interval.high))
    diverged = centring.Tuned(1.0, np.ones(1), np.array([1.0, math.inf, 1.0]))
    assert centring.times_as_much(diverged, centring.Tuned(1.0, np.ones(1), centred)) is None


@pytest.mark.parametrize("optimizer", centring.OPTIMIZERS)
def test_every_copy_moves_as_it_would_alone_at_its_rate(optimizer):
    start = torch.tensor([1.0, -2.0])
    copies, together = centring.at_rates([start], [0.1, 0.3], optimizer)
    alone = start.clone().requires_grad_()
    stepper = centring.OPTIMIZERS[optimizer]([alone], lr=0.3)
    for _ in range(3):
        for parameters, one in ((copies[0], together), ([alone], stepper)):
            one.zero_grad()
            sum(parameter.pow(4).sum() for parameter in parameters).backward()
            one.step()
    assert copies[0][1].tolist() == alone.tolist()
    assert copies[0][0].tolist() != alone.tolist()
    assert start.tolist() == [1.0, -2.0]


def test_a_step_of_the_unit_is_the_error_times_the_inputs():
    path = centred_unit.path(TANH_UP, 0.3, seed=0)
    first, second = np.tanh(centred_unit.numpy_generator(0, centred_unit.Stream.ORDER).standard_normal(2)) + 1
    error = 0 - (first - second)  # weights 0, target (1, -1)
    step = [-0.3 * error * a for a in (first, second)]
    assert path.loc[1, ["w1", "w2"]].tolist() == pytest.approx(step)
    assert path.loc[1, "distance"] == pytest.approx(math.hypot(step[0] - 1, step[1] + 1))
    assert path["same_sign"][1:].all()  # positive inputs move both weights the same way
    assert 0.2 < centred_unit.path(TANH, 0.3, seed=0)["same_sign"][1:].mean() < 0.8


@pytest.mark.parametrize("name", [TANH, TANH_UP])
def test_the_curvature_is_the_largest_eigenvalue_of_the_inputs_products(name):
    inputs = centring.FUNCTIONS[name].apply(torch.randn(10**6, 2, generator=torch.Generator().manual_seed(0)))
    products = (inputs.T @ inputs).double() / len(inputs)
    assert curvature(name) == pytest.approx(float(torch.linalg.eigvalsh(products).max()), rel=0.01)


@pytest.fixture(scope="module")
def units():
    return centred_unit.units(seed=0)


def test_at_one_rate_the_spread_decides(units):
    """Geometric means over 20 seeds that an independent program gave."""
    expected = {SIGMOID: 0.153, SIGMOID_DOWN: 0.168, NARROW: 0.17, TANH: 6e-10}
    assert {name: units[name].common for name in expected} == pytest.approx(expected, rel=0.06)
    assert units[TANH_UP].common > math.sqrt(2)  # further than it started


def test_at_its_own_rate_a_unit_learns_from_centred_inputs_whatever_their_spread(units):
    reached = {name: centring.geometric_mean(unit.opposite[SGD].reached) for name, unit in units.items()}
    assert max(reached[TANH], reached[NARROW]) < 2 * min(reached[TANH], reached[NARROW])
    for centred, shifted in PAIRS:
        assert centring.times_as_much(units[shifted].opposite[SGD], units[centred].opposite[SGD]).low > 1000
        assert units[shifted].opposite[SGD].rate < units[centred].opposite[SGD].rate
        assert centring.times_as_much(units[shifted].alike, units[centred].alike).low > 1000
        adam = centring.times_as_much(units[shifted].opposite[ADAM], units[centred].opposite[ADAM])
        assert adam.low < 1 < adam.high


def test_at_the_lower_rate_the_centred_unit_is_no_better(units):
    """So the rate that it allows is what it gains."""
    for centred, shifted in PAIRS:
        best = units[shifted].opposite[SGD]
        at = centred_unit.RATES.index(best.rate)
        assert units[centred].opposite[SGD].by_rate[at] > best.by_rate[at]


def test_no_best_rate_of_the_unit_lies_at_the_end_of_the_grid(units):
    for unit in units.values():
        for best in (*unit.opposite.values(), unit.alike):
            assert centred_unit.RATES[0] < best.rate < centred_unit.RATES[-1]


def test_networks_whose_functions_differ_by_a_constant_start_as_the_same_function():
    x = fit.digit_data().x[:50].expand(2, -1, -1)
    for centred, shifted in PAIRS:
        outputs = [
            centred_network.forward(name, centred_network.initial(name, [0, 1]), x) for name in (centred, shifted)
        ]
        torch.testing.assert_close(*outputs, rtol=1e-4, atol=1e-5)
        assert outputs[0].std() > 0.01


def test_a_network_of_the_stack_is_trained_as_one_alone():
    """Against the loop of the other experiments, with tanh, whose mean of 0 leaves the biases alone."""
    alone = fit.make_mlp(nn.Tanh, blocks=centred_network.BLOCKS, width=centred_network.WIDTH, seed=1, scheme="torch")
    fit.fit(alone, torch.optim.SGD(alone.parameters(), lr=0.25), epochs=1, seed=1, after_epoch=lambda _: None)
    data = fit.digit_data()
    logits = centred_network.train(TANH, SGD, [0.0625, 0.25], [0, 1], epochs=1)
    loss, accuracy = centred_network.scores(logits, [0.0625, 0.25], [0, 1])
    with torch.no_grad():
        assert loss[1, 1] == pytest.approx(float(F.cross_entropy(alone(data.x), data.y)), rel=1e-3)
    assert accuracy[1, 1] == pytest.approx(fit.accuracy(alone), abs=0.005)


@pytest.fixture(scope="module")
def networks():
    return centred_network.trainings(FULL, seed=0)


@pytest.mark.slow
def test_networks_learn_more_with_centred_functions_and_less_so_with_adam(networks):
    for centred, shifted in PAIRS:
        sgd, adam = (
            centring.times_as_much(networks[shifted, one].loss, networks[centred, one].loss) for one in (SGD, ADAM)
        )
        assert sgd.low > 2
        assert adam.low > 1
        assert math.log(adam.mean) < math.log(sgd.mean) / 2
    for (_, optimizer), trained in networks.items():
        rates = centred_network.RATES[optimizer]
        assert rates[0] < trained.loss.rate < rates[-1]


def forged(*, factor):
    """Networks of which those that are not centred end at `factor` times the loss of the others, within 1 %."""
    left = np.linspace(1, 2, 8)
    wavering = factor * np.linspace(0.99, 1.01, 8)
    return {
        (name, optimizer): centred_network.Trained(
            centring.Tuned(rates[0], np.ones(len(rates)), left * (wavering if name == shifted else 1)), np.full(8, 0.9)
        )
        for pair in PAIRS
        for shifted in pair[1:]
        for name in pair
        for optimizer, rates in centred_network.RATES.items()
    }


@pytest.fixture(scope="module")
def signs():
    return {name: zero_centred.sign_structure(name, seed=0) for name in zero_centred.ACTIVATIONS}


@pytest.mark.parametrize(
    ("factor", "rule", "told"),
    [
        (
            3.0,
            "Centre an activation's outputs on zero: the loss falls further with SGD and with Adam.",
            "3 times the training loss",
        ),
        (1.0, "Do not expect much of centring an activation's outputs on zero.", "no difference that these seeds"),
        (math.nan, "Do not expect much of centring an activation's outputs on zero.", "a seed diverged"),
    ],
)
def test_the_words_follow_the_networks(units, signs, factor, rule, told):
    made = section(Measured(signs, units, forged(factor=factor), QUICK))
    assert made.rules[0].text == rule
    assert told in made.parts[0].found
    assert ("no difference" in made.parts[0].found) == (factor == 1.0)


def test_a_unit_that_does_not_follow_the_spread_is_not_said_to(units):
    other = {**units, SIGMOID_DOWN: replace(units[SIGMOID_DOWN], common=1e-9)}
    told = [centred_unit_section.paragraphs(found)[0] for found in (units, other)]
    assert ["is the spread" in text for text in told] == [True, False]


def test_without_measurements_the_section_says_what_can_be_derived():
    made = section(None)
    sign, steep = made.paragraphs
    assert "all weights grow or all shrink" in sign
    assert "6.1 times as steep" in steep  # (0.394 + 2 · 1²) / 0.394
    assert not made.parts
    assert not made.rules
