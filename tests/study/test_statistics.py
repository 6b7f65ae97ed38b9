"""Averages and tests against cases worked out by hand, and against scipy on random data."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from gradflow.study.statistics import band, holm, seeds_needed, sign_flip_p, summary

# Student's t, two-sided 95 %, from printed tables.
T_1, T_2, T_3 = 12.706204736, 4.302652730, 3.182446305


def test_summary_of_four_values_by_hand():
    result = summary([1.0, 2.0, 3.0, 6.0])  # deviations -2, -1, 0, 3: squares sum to 14
    assert (result.n, result.mean, result.values) == (4, 3.0, (1.0, 2.0, 3.0, 6.0))
    assert result.sd == pytest.approx(math.sqrt(14 / 3))
    half = T_3 * math.sqrt(14 / 3) / 2
    assert (result.low, result.high) == (pytest.approx(3 - half), pytest.approx(3 + half))


def test_summary_of_logarithms_by_hand():
    result = summary([1e-2, 1e-4], log10=True)  # logarithms -2 and -4: mean -3, sd sqrt(2), standard error 1
    assert result.mean == pytest.approx(1e-3)
    assert result.sd == pytest.approx(math.sqrt(2))
    assert (result.low, result.high) == (pytest.approx(10 ** (-3 - T_1)), pytest.approx(10 ** (-3 + T_1)))
    assert result.values == (1e-2, 1e-4)


def test_an_interval_ends_where_values_do():
    shares = [0.0, 0.1]  # mean 0.05, standard error 0.05
    result = summary(shares, within=(0.0, 1.0))
    assert (result.mean, result.low, result.high) == (0.05, 0.0, pytest.approx(0.05 + T_1 * 0.05))
    assert summary([1 - share for share in shares], within=(0.0, 1.0)).high == 1.0
    assert summary(shares).low == pytest.approx(0.05 - T_1 * 0.05)
    assert math.isnan(summary([0.5], within=(0.0, 1.0)).low)


def test_one_value_has_a_mean_and_no_spread():
    result = summary([0.5])
    assert (result.n, result.mean) == (1, 0.5)
    assert all(map(math.isnan, (result.sd, result.low, result.high)))


def test_equal_values_have_an_interval_of_no_width():
    result = summary([0.25, 0.25, 0.25])
    assert (result.mean, result.sd, result.low, result.high) == (0.25, 0.0, 0.25, 0.25)


@pytest.mark.parametrize(
    ("values", "log10"),
    [([], False), ([1.0, math.nan], False), ([math.inf], False), ([1.0, 0.0], True), ([1.0, -1.0], True)],
)
def test_what_cannot_be_averaged_is_refused(values, log10):
    with pytest.raises(ValueError, match=r"average"):
        summary(values, log10=log10)


@pytest.mark.parametrize(("n", "level"), list(itertools.product([2, 3, 8, 30], [0.9, 0.95])))
def test_summary_is_scipys_t_interval(n, level):
    values = np.random.default_rng(n).normal(3.0, 2.0, size=n)
    result = summary(values.tolist(), level=level)
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(level)
    assert (result.low, result.high) == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert result.sd == pytest.approx(stats.tstd(values), rel=1e-12)


def test_differences_have_scipys_paired_interval():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 8))
    result = summary((first - second).tolist())
    expected = stats.ttest_rel(first, second).confidence_interval()
    assert (result.low, result.high) == pytest.approx((expected.low, expected.high), rel=1e-12)


def test_band_by_hand_with_missing_values():
    nan = math.nan
    result = band(np.array([[1.0, 5.0, nan, nan], [3.0, nan, nan, 2.0], [5.0, nan, nan, 4.0]]))
    np.testing.assert_array_equal(result.n, [3, 1, 0, 2])
    np.testing.assert_allclose(result.mean, [3.0, 5.0, nan, 3.0])
    np.testing.assert_allclose(result.sd, [2.0, nan, nan, math.sqrt(2)])
    half = np.array([T_2 * 2 / math.sqrt(3), nan, nan, T_1])
    np.testing.assert_allclose(result.low, result.mean - half)
    np.testing.assert_allclose(result.high, result.mean + half)


@pytest.mark.parametrize("log10", [False, True])
def test_band_is_the_summary_of_each_column(log10):
    values_RS = np.random.default_rng(1).lognormal(sigma=5, size=(6, 50))
    result = band(values_RS, log10=log10)
    for step, column in enumerate(values_RS.T):
        logs = np.log10(column) if log10 else column
        expected = stats.ttest_1samp(logs, 0.0).confidence_interval()
        back = (lambda x: 10**x) if log10 else (lambda x: x)
        assert result.mean[step] == pytest.approx(back(logs.mean()))
        assert result.sd[step] == pytest.approx(logs.std(ddof=1))
        assert (result.low[step], result.high[step]) == pytest.approx((back(expected.low), back(expected.high)))


def test_a_gradient_of_zero_is_left_out_of_a_logarithmic_band():
    result = band(np.array([[1e-2, 0.0], [1e-4, 1e-30], [0.0, 1e-32]]), log10=True)
    np.testing.assert_array_equal(result.n, [2, 2])
    np.testing.assert_allclose(result.mean, [1e-3, 1e-31])


def test_runs_that_are_decades_apart_have_bounds_of_zero_and_infinity():
    result = band(np.array([[1e-300], [1e300]]), log10=True)
    assert (result.mean[0], result.low[0], result.high[0]) == (pytest.approx(1.0), 0.0, math.inf)


def test_float32_curves_are_averaged_in_float64():
    values = np.array([[1.0], [1.0 + 2**-23]], dtype=np.float32)
    assert band(values).mean[0] == 1.0 + 2**-24


def test_band_of_no_runs_and_of_no_steps():
    assert np.isnan(band(np.empty((0, 3))).mean).all()
    assert band(np.empty((3, 0))).mean.shape == (0,)


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
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([0.03]) == [0.03]
    assert holm([]) == []


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
