"""Facts and cost of every activation, against formulas written out here."""

import math

import pytest
from scipy.optimize import brentq
from scipy.stats import norm
from torch import nn

from gradflow import CONF
from gradflow.lesson.experiments import explorer
from gradflow.lesson.experiments.families import by_kind, by_name, families

FAMILIES = families()


def test_every_named_activation_of_the_configuration_is_there_and_is_of_one_kind():
    files = sorted({file.stem for file in (CONF / "activation").glob("*.yaml")} - {"custom"})
    assert [family.name for family in FAMILIES] == files
    assert sorted(family.name for found in by_kind().values() for family in found) == files


def test_a_family_makes_the_module_with_its_usual_parameters_or_others():
    elu = by_name(FAMILIES)["elu"]
    assert elu.make().alpha == 1.0
    assert elu.make(alpha=2.0).alpha == 2.0
    assert not elu.make().training


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


def test_costs_are_relative_to_relu():
    costs = explorer.costs([by_name(FAMILIES)[name] for name in ("relu", "maxout", "identity")], repetitions=5)
    assert costs["relu"] == 1.0
    assert costs["maxout"] > 1.0  # twice the input, and a maximum over pairs
    assert costs["identity"] > 0.0
