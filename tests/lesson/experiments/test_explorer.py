"""Curves, facts and cost of the explorer, against formulas written out here."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm
from torch import nn

from gradflow import CONF
from gradflow.lesson.experiments import explorer
from gradflow.lesson.experiments.families import TwoPieces, by_name, families
from gradflow.lesson.sections.explorer import flat_text

FAMILIES = families(most_values=12)


def test_every_named_activation_of_the_configuration_is_there():
    files = {file.stem for file in (CONF / "activation").glob("*.yaml")} - {"custom"}
    assert {family.name for family in FAMILIES} == files


@pytest.mark.parametrize("most", [1, 3, 12])
def test_the_default_of_a_parameter_is_always_among_its_values(most):
    for family in families(most_values=most):
        assert len(family.values) <= most
        assert list(family.values) == sorted(family.values, key=lambda value: value or 0.0)
        assert family.default in family.values


def test_a_family_makes_the_module_with_its_parameter():
    elu = by_name(FAMILIES)["elu"]
    assert elu.make(2.0).alpha == 2.0
    assert elu.make().alpha == elu.default == 1.0


@pytest.mark.parametrize(("second", "like"), [(0.0, torch.relu), (-1.0, torch.abs), (1.0, lambda z: z)])
def test_maxout_of_two_pieces_is_the_larger_of_them(second, like):
    z = torch.tensor([-2.0, -0.5, 0.0, 3.0])
    assert torch.equal(TwoPieces(second)(z), like(z))


@pytest.mark.parametrize(
    ("name", "parameter", "value", "slope"),
    [
        ("sigmoid", None, expit, lambda z: expit(z) * (1 - expit(z))),
        ("tanh", None, np.tanh, lambda z: 1 / np.cosh(z) ** 2),
        ("elu", 0.5, lambda z: np.where(z > 0, z, 0.5 * np.expm1(z)), lambda z: np.where(z > 0, 1, 0.5 * np.exp(z))),
        ("leaky_relu", 0.2, lambda z: np.where(z > 0, z, 0.2 * z), lambda z: np.where(z > 0, 1, 0.2)),
        ("softplus", 2.0, lambda z: np.log1p(np.exp(2 * z)) / 2, lambda z: expit(2 * z)),
        ("gelu", None, lambda z: z * norm.cdf(z), lambda z: norm.cdf(z) + z * norm.pdf(z)),
    ],
)
def test_curves_are_the_function_and_its_derivative(name, parameter, value, slope):
    curves = explorer.curves([by_name(FAMILIES)[name]])
    chosen = curves[curves["parameter"].isna() if parameter is None else curves["parameter"] == parameter]
    z = chosen["z"].to_numpy()
    assert z.min() == -6
    assert z.max() == 6
    assert chosen["value"].to_numpy() == pytest.approx(value(z), abs=1e-12)
    assert chosen["slope"].to_numpy() == pytest.approx(slope(z), abs=1e-12)


def test_the_slope_of_relu_is_1_where_it_is_on_and_0_where_it_is_off():
    curve = explorer.curves([by_name(FAMILIES)["relu"]])
    for is_on, slope in ((curve["value"] > 0, 1.0), (curve["value"] == 0, 0.0)):
        assert set(curve.loc[is_on, "slope"]) == {slope}


def test_flat_ranges_of_saturating_functions_are_where_algebra_puts_them():
    sigmoid = math.log((1 + math.sqrt(0.95)) / (1 - math.sqrt(0.95)))  # s (1 - s) = 0.05 / 4
    tanh = math.atanh(math.sqrt(0.95))  # 1 - t² = 0.05
    softsign = math.sqrt(20) - 1  # 1 / (1 + z)² = 0.05
    for module, end in ((nn.Sigmoid(), sigmoid), (nn.Tanh(), tanh), (nn.Softsign(), softsign)):
        (left, right) = explorer.known(module).flat
        assert left == (-math.inf, pytest.approx(-end, abs=1e-8))
        assert right == (pytest.approx(end, abs=1e-8), math.inf)


def test_the_flat_ranges_of_gelu_surround_the_place_where_its_slope_changes_sign():
    largest = math.sqrt(2)  # where the slope is largest: its derivative is (2 - z²) times the density
    limit = 0.05 * (norm.cdf(largest) + largest * norm.pdf(largest))

    def slope(z):
        return norm.cdf(z) + z * norm.pdf(z)

    ends = [
        brentq(lambda z: slope(z) + limit, -5, -1.5),
        brentq(lambda z: slope(z) + limit, -1.4, -0.76),
        brentq(lambda z: slope(z) - limit, -0.74, 0),
    ]
    left, middle = explorer.known(nn.GELU()).flat
    assert left == (-math.inf, pytest.approx(ends[0], abs=1e-7))
    assert middle == pytest.approx(ends[1:], abs=1e-7)


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (nn.ReLU(), "z < 0"),
        (nn.ReLU6(), "z < 0, z > 6"),
        (nn.Identity(), "nowhere"),
        (nn.LeakyReLU(0.1), "nowhere"),
        (nn.LeakyReLU(0.01), "z < 0"),
    ],
)
def test_flat_ranges_in_words(module, text):
    assert flat_text(explorer.known(module).flat) == text


def test_costs_are_relative_to_relu():
    costs = explorer.costs([by_name(FAMILIES)[name] for name in ("relu", "maxout", "identity")], repetitions=5)
    assert costs["relu"] == 1.0
    assert costs["maxout"] > 1.0  # twice the input, and a maximum over pairs
    assert costs["identity"] > 0.0
