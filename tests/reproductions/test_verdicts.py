"""The rules of the verdicts, on values worked out by hand."""

import math

import pytest

from gradflow.reproductions.published import Claim
from gradflow.reproductions.verdicts import RULES, Verdict, judge


def verdict(values, rule="near", **fields):
    return judge(Claim(text="", activation="relu", metric="test/acc", rule=rule, **fields), values)


def test_nothing_was_run():
    for rule in RULES:
        assert verdict([], rule, published=(0, 1)) == Verdict.NOT_RUN


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.919, 0.920, 0.918], Verdict.HELD),  # the mean 0.919 is 0.92 with two digits
        ([0.9149, 0.9149, 0.9149], Verdict.NOT_HELD),  # 0.91, and the interval is a point
        ([0.90, 0.91, 0.92], Verdict.UNDECIDED),  # 0.91; t = 4.303: 0.910 ± 0.025 reaches 0.92
        ([0.95, 0.951, 0.952], Verdict.NOT_HELD),  # 0.951 ± 0.0025 stays above 0.94
        ([0.955], Verdict.UNDECIDED),  # one run is taken as known to within 2 points
        ([0.98], Verdict.NOT_HELD),
        ([0.93], Verdict.HELD),
    ],
)
def test_a_range(values, expected):
    assert verdict(values, "within", published=(0.92, 0.94), decimals=2) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.946, 0.947, 0.948], Verdict.HELD),  # 0.947 is 0.95 with two digits
        ([0.99, 0.99], Verdict.HELD),
        ([0.93, 0.95], Verdict.UNDECIDED),
        ([0.930, 0.931, 0.932], Verdict.NOT_HELD),
    ],
)
def test_a_minimum(values, expected):
    assert verdict(values, "at_least", published=0.95, decimals=2) == expected


@pytest.mark.parametrize(
    ("values", "published", "expected"),
    [
        ([0.50, 0.50, 0.50], 0.51, Verdict.HELD),  # 0.01 off: the tolerance, though all seeds agree
        ([0.49, 0.49, 0.49], 0.51, Verdict.NOT_HELD),
        # sd 0.004, and 4.303 * 0.004 * sqrt(4 / 3) = 0.0199: one more run is expected between 0.4801 and 0.5199
        ([0.496, 0.50, 0.504], 0.5198, Verdict.HELD),
        ([0.496, 0.50, 0.504], 0.5200, Verdict.NOT_HELD),
        # sd 0.02, and one more run is expected between 0.401 and 0.599: too wide to tell
        ([0.48, 0.50, 0.52], 0.599, Verdict.UNDECIDED),
        ([0.48, 0.50, 0.52], 0.509, Verdict.HELD),  # this one is within the tolerance
        ([0.48, 0.50, 0.52], 0.600, Verdict.NOT_HELD),
        ([0.50], 0.51, Verdict.HELD),
        ([0.495], 0.51, Verdict.UNDECIDED),  # 1.5 tolerances off
        ([0.47], 0.51, Verdict.NOT_HELD),
    ],
)
def test_the_value_of_one_run(values, published, expected):
    assert verdict(values, published=published, tolerance=0.0100001) == expected


def test_a_relative_tolerance_counts_on_both_sides_alike():
    for value, expected in ((1.09, Verdict.HELD), (1 / 1.09, Verdict.HELD), (1.12, Verdict.NOT_HELD)):
        assert verdict([value] * 3, published=1.0, tolerance=0.1, relative=True) == expected


def test_a_count_an_order_of_magnitude_an_ordering_of_two():
    assert verdict([697046, 697046], "exactly", published=697046) == Verdict.HELD
    assert verdict([697046, 697047], "exactly", published=697046) == Verdict.NOT_HELD
    assert verdict([1e-4, 4e-4], "factor", published=1.1e-4) == Verdict.HELD  # their geometric mean is 2e-4
    assert verdict([1e-4, 9e-4], "factor", published=1.1e-4) == Verdict.NOT_HELD
    assert verdict([0.5, 0.5, 0.6], "below") == Verdict.HELD
    assert verdict([2.0, 2.0, 2.1], "below") == Verdict.NOT_HELD
    assert verdict([0.5, 2.0], "below") == Verdict.UNDECIDED
    assert verdict([0.5], "below") == Verdict.UNDECIDED


def test_an_interval_of_logarithms_decides_an_ordering():
    # Mean of log10: -0.2, sd 0.1; 4.303 * 0.1 / sqrt(3) = 0.248 reaches 0, and a third of it does not.
    logs = [-0.3, -0.2, -0.1]
    assert verdict([10**log for log in logs], "below") == Verdict.UNDECIDED
    assert verdict([10 ** (-0.2 + (log + 0.2) / 3) for log in logs], "below") == Verdict.HELD


def test_an_unknown_rule_is_named():
    with pytest.raises(ValueError, match="unknown rule about"):
        verdict([math.pi], "about")
