"""Averages against cases worked out by hand, and against scipy on random data."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from gradflow.study.statistics import band, summary

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
