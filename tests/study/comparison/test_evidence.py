"""Tests and measures of paired differences against cases worked out by hand, and against scipy on random data."""

import math

import numpy as np
import pytest
from scipy import stats

from gradflow.study.comparison.evidence import (
    all_equal,
    holm,
    is_skewed,
    paired_t_p,
    probability_of_improvement,
    seeds_needed,
    sign_flip_p,
)


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        ([1.0], 1.0),  # +1 and -1 are as extreme
        ([1.0, 2.0], 2 / 4),  # sums 3, -1, 1, -3: two of four reach 3
        ([1.0, -2.0], 1.0),  # observed -1: all of 3, -1, 1, -3 reach it
        ([1.0, 2.0, 4.0], 2 / 8),  # only equal signs reach 7
        ([-1.0, 2.0, 4.0], 4 / 8),  # 5: 7, 5 and their negatives
        ([1.0, 1.0, -1.0], 1.0),  # 1: every sum is 3, 1, -1 or -3
        ([0.0, 3.0, 3.0], 4 / 8),  # 6, whatever the sign of 0
        ([0.1, 0.2, -0.3], 1.0),  # a sum of 0 except for rounding
        ([0.0, 0.0], 1.0),
        ([0.01] * 8, 2 / 256),
        ([-0.01, -0.02, -0.03, -0.04, -0.05, -0.06], 2 / 64),
    ],
)
def test_sign_flips_by_hand(differences, p):
    assert sign_flip_p(differences) == p


@pytest.mark.parametrize("differences", [[], [1.0, math.nan], [math.inf]])
def test_sign_flips_need_finite_differences(differences):
    with pytest.raises(ValueError, match="test"):
        sign_flip_p(differences)


def scipys_p(differences):
    return stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=True
    ).pvalue


@pytest.mark.parametrize("n", range(2, 13))
def test_sign_flips_are_scipys_exact_test(n):
    differences = np.random.default_rng(n).normal(0.5, 1.0, size=n)
    assert sign_flip_p(differences.tolist()) == pytest.approx(scipys_p(differences), abs=1e-12)


def test_sign_flips_are_scipys_on_integers_with_ties():
    for seed in range(20):
        differences = np.random.default_rng(seed).integers(-3, 6, size=8).astype(float)
        assert sign_flip_p(differences.tolist()) == pytest.approx(scipys_p(differences), abs=1e-12)


def test_ties_survive_the_rounding_of_float32_accuracies():
    first = np.array([290, 285, 291, 280, 288, 293, 287, 290])  # right answers of 300
    second = np.array([285, 286, 288, 279, 290, 286, 287, 288])
    exact = sign_flip_p((first - second).tolist())
    rounded = (first / 300).astype(np.float32).astype(float) - (second / 300).astype(np.float32).astype(float)
    assert sign_flip_p(rounded.tolist(), rounding=2.0**-23) == exact == 0.171875
    assert scipys_p(rounded) < exact  # why scipy's own is not used


def test_the_exact_test_at_its_limit():
    assert sign_flip_p([0.01] * 20) == 2 / 2**20


def test_many_seeds_are_sampled_reproducibly():
    differences = np.random.default_rng(0).normal(0.3, 1.0, size=30)
    p = sign_flip_p(differences.tolist())
    assert p == sign_flip_p(differences.tolist())
    assert p == pytest.approx(stats.ttest_1samp(differences, 0.0).pvalue, abs=0.01)  # asymptotically the same
    assert 0 < sign_flip_p([1.0] * 30) < 1e-4


def test_holm_by_hand():
    # Ascending 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1: 0.02, 0.03, 0.06, 0.04; the last is raised to 0.06.
    assert holm([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([[0.01, 0.04], [0.5, 0.02]]).tolist() == [[0.02, 0.04], [0.5, 0.04]]  # families side by side
    assert holm([0.5, 0.6]).tolist() == [1.0, 1.0]
    assert holm([0.03]).tolist() == [0.03]
    assert holm([]).tolist() == []


def step_down(p_values, alpha):
    """Holm's procedure as published: go up the ordered p values and stop at the first that is too large."""
    rejected = set()
    for step, index in enumerate(np.argsort(p_values, kind="stable")):
        if p_values[index] > alpha / (len(p_values) - step):
            break
        rejected.add(int(index))
    return rejected


@pytest.mark.parametrize("seed", range(10))
def test_holm_rejects_what_the_step_down_procedure_rejects(seed):
    p_values = (np.random.default_rng(seed).uniform(size=12) ** 4).tolist()
    adjusted = holm(p_values)
    for alpha in (0.01, 0.05, 0.2, 0.5):
        assert {i for i, p in enumerate(adjusted) if p <= alpha} == step_down(p_values, alpha)
    assert all(p <= a <= 1 for p, a in zip(p_values, adjusted, strict=True))


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_holm_refuses_what_is_no_probability(p):
    with pytest.raises(ValueError, match="p values"):
        holm([0.5, p])


@pytest.mark.parametrize(("comparisons", "seeds"), [(1, 6), (2, 7), (3, 7), (4, 8), (5, 8), (6, 8), (7, 9), (100, 12)])
def test_seeds_needed(comparisons, seeds):
    assert seeds_needed(comparisons) == seeds
    assert 2 / 2**seeds <= 0.05 / comparisons < 2 / 2 ** (seeds - 1)
    assert holm([sign_flip_p([1.0] * seeds)] * comparisons)[0] <= 0.05 < comparisons * sign_flip_p([1.0] * (seeds - 1))


@pytest.mark.parametrize(("comparisons", "alpha"), [(0, 0.05), (1, 0.0), (1, 1.0)])
def test_seeds_needed_of_nothing(comparisons, alpha):
    with pytest.raises(ValueError, match="comparisons="):
        seeds_needed(comparisons, alpha=alpha)


@pytest.mark.parametrize(
    ("differences", "p"),
    [
        # t = mean / (sd / sqrt(3)); with two degrees of freedom p = 1 - t / sqrt(2 + t^2).
        ([1.0, 2.0, 3.0], 1 - math.sqrt(12) / math.sqrt(14)),  # mean 2, sd 1: t = 2 sqrt(3)
        ([-0.10, -0.11, -0.09], 1 - math.sqrt(300) / math.sqrt(302)),  # mean -0.1, sd 0.01: t = -10 sqrt(3)
        ([1.0, -1.0, 0.0], 1.0),
        ([1.0, 2.0], 1.0),  # two say next to nothing about their spread
        ([1.0], 1.0),
        ([0.1, 0.1, 0.1], 1.0),  # equal: no spread to compare the mean with
        ([0.0, 0.0, 0.0], 1.0),
    ],
)
def test_paired_t_tests_by_hand(differences, p):
    assert paired_t_p(differences) == pytest.approx(p, rel=1e-9)


def test_paired_t_tests_are_scipys_and_families_are_tested_side_by_side():
    first, second = np.random.default_rng(0).normal(size=(2, 4, 5))
    assert paired_t_p(first - second) == pytest.approx(stats.ttest_rel(first, second, axis=-1).pvalue)
    assert sign_flip_p(first - second) == pytest.approx([scipys_p(row) for row in first - second])


def test_differences_that_differ_by_rounding_only_are_equal():
    accuracies = np.array([[290, 160, 1], [289, 159, 0]], dtype=np.float32) / np.float32(300)
    first, second = accuracies.astype(float)
    assert len(set((first - second).tolist())) > 1
    assert all_equal(first - second, rounding=2.0**-23)
    assert paired_t_p(first - second, rounding=2.0**-23) == 1.0
    assert not all_equal([0.01, 0.01, 0.0133], rounding=2.0**-23)


@pytest.mark.parametrize(
    ("differences", "share"),
    [
        ([1.0, 2.0, -3.0, 4.0], 3 / 4),
        ([1.0, 0.0, 0.0, -1.0], 1 / 2),  # a tie counts half
        ([1.0, 0.0, 2.0], 5 / 6),
        ([0.0], 1 / 2),
        ([1e-8, 0.01], 3 / 4),  # a tie up to rounding
    ],
)
def test_the_probability_of_improvement_by_hand(differences, share):
    assert probability_of_improvement(differences, rounding=1e-7) == pytest.approx(share)


@pytest.mark.parametrize(
    ("differences", "skewed"),
    [
        ([0.01, 0.01, 0.02, 0.01, -0.8], True),  # one run in five collapses: close to -1.5, the most of five values
        ([0.0, 0.0, 1.0], False),  # three values have 0.71 at most
        ([1.0, 2.0, 3.0, 4.0, 5.0], False),
        ([0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0], False),
        ([0.2] * 8, False),
    ],
)
def test_skew_by_hand(differences, skewed):
    assert is_skewed(differences) == skewed
    assert is_skewed([-one for one in differences]) == skewed


def test_the_limit_of_skew_is_one():
    # Of n values, one at 1 and the others at 0: (n - 2) / sqrt(n - 1), which is 1.155 of four and 0.707 of three.
    assert is_skewed([0.0, 0.0, 0.0, 1.0])
    # A share s of ones: (1 - 2 s) / sqrt(s (1 - s)), which is 0.97 of 7 in 25 and 1.16 of 6 in 24.
    assert not is_skewed([1.0] * 7 + [0.0] * 18)
    assert is_skewed([1.0] * 6 + [0.0] * 18)
