"""Averages over seeds and what can be claimed from them: numbers in, numbers out.

Shape letters: R runs (seeds), S steps.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

ALPHA = 0.05  # probability of one or more false claims in a family
LEVEL = 0.95  # of the intervals
EXACT_UP_TO = 20  # seeds: 2^19 sums
MONTE_CARLO_SAMPLES = 100_000
UNLIMITED = (-math.inf, math.inf)


@dataclass(frozen=True)
class Summary:
    """The average over several seeds: n, mean, sample standard deviation, interval, and the values themselves."""

    n: int
    mean: float
    sd: float
    low: float
    high: float
    values: tuple[float, ...]


@dataclass(frozen=True)
class Band:
    """The average of several curves; every array has shape (S,), and `n` counts the runs with a value at each step."""

    n: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    low: np.ndarray
    high: np.ndarray


def summary(
    values: Sequence[float], *, level: float = LEVEL, log10: bool = False, within: tuple[float, float] = UNLIMITED
) -> Summary:
    """Mean, sample standard deviation (ddof = 1) and Student t interval.

    Args:
        values: one per seed, at least one.
        level: of the interval, in (0, 1).
        log10: average the logarithms. Mean and bounds come back in the unit of the values (the mean is the geometric
            one), `sd` is that of the logarithms, in decades.
        within: the lowest and highest possible value; the interval ends there, which excludes no possible mean.

    Returns:
        `sd`, `low` and `high` are NaN for a single value.

    Raises:
        ValueError: if there are no values, if one is not finite, or, with `log10`, if one is not positive.
    """
    if not len(values):
        raise ValueError("no values to average")
    if not all(map(math.isfinite, values)):
        raise ValueError(f"cannot average {list(values)}: not all finite")
    if log10 and min(values) <= 0:
        raise ValueError(f"{min(values)} has no logarithm: average only positive values with log10")
    column = band(np.asarray(values, dtype=np.float64)[:, None], level=level, log10=log10, within=within)
    mean, sd, low, high = (float(array[0]) for array in (column.mean, column.sd, column.low, column.high))
    return Summary(n=len(values), mean=mean, sd=sd, low=low, high=high, values=tuple(map(float, values)))


def band(
    values_RS: np.ndarray, *, level: float = LEVEL, log10: bool = False, within: tuple[float, float] = UNLIMITED
) -> Band:
    """Mean, sample standard deviation and Student t interval at every step, in float64.

    Args:
        values_RS: one curve per row, shape (R, S). Values that are not finite count as missing; with `log10`, so do
            values that are not positive: a gradient of exactly zero has no logarithm, and `n` shows that it is missing.
        level: of the interval, in (0, 1).
        log10: average the logarithms, as in `summary`.
        within: as in `summary`.

    Returns:
        `mean` is NaN where no run has a value; `sd`, `low` and `high` are NaN where fewer than two have.
    """
    values_RS = np.asarray(values_RS, dtype=np.float64)
    present_RS = np.isfinite(values_RS) & (values_RS > 0 if log10 else True)
    kept_RS = np.where(present_RS, values_RS, 1.0)
    if log10:
        kept_RS = np.log10(kept_RS)
    n_S = present_RS.sum(axis=0)
    mean_S = _divide(np.where(present_RS, kept_RS, 0.0).sum(axis=0), n_S)
    deviations_RS = np.where(present_RS, kept_RS - mean_S, 0.0)
    sd_S = np.sqrt(_divide((deviations_RS**2).sum(axis=0), n_S - 1))
    half_S = _t_quantiles(level=level, runs=len(values_RS))[n_S] * _divide(sd_S, np.sqrt(n_S))
    bounds = mean_S, mean_S - half_S, mean_S + half_S
    with np.errstate(over="ignore"):  # two runs that are decades apart have an infinite upper bound
        mean_S, low_S, high_S = (np.power(10.0, bound) for bound in bounds) if log10 else bounds
    lowest, highest = within
    return Band(n=n_S, mean=mean_S, sd=sd_S, low=np.maximum(low_S, lowest), high=np.minimum(high_S, highest))


def _divide(numerator_S: np.ndarray, denominator_S: np.ndarray) -> np.ndarray:
    """NaN where the denominator is not positive."""
    undefined_S = np.full(denominator_S.shape, np.nan)
    return np.divide(numerator_S, denominator_S, out=undefined_S, where=denominator_S > 0)


def _t_quantiles(*, level: float, runs: int) -> np.ndarray:
    """Half an interval's width in standard errors, for 0 to `runs` values; NaN for 0 and 1. Shape (runs + 1,)."""
    degrees = np.arange(1, max(runs, 1))
    return np.concatenate([[np.nan, np.nan], stats.t.ppf((1 + level) / 2, degrees)])


def sign_flip_p(differences: Sequence[float], *, rounding: float = 0.0) -> float:
    """Two-sided p value of the hypothesis that paired differences are symmetric around zero.

    Of the 2^n ways to choose the differences' signs, the share whose sum is at least as far from zero as the observed
    one. Equals `scipy.stats.permutation_test(..., permutation_type="samples")` except for ties, which are common here:
    differences of accuracies are multiples of one over the number of samples. scipy treats sums that differ only by
    the rounding of float32 scores as different, which makes its p values too small.

    Args:
        differences: one per seed, shape (n,). Exact up to n = 20; beyond that, 100,000 random sign vectors from a fixed
            seed, plus the observed one, so that p is never 0.
        rounding: the absolute error of a difference. Sums that differ by no more than n times this are tied; ties count
            as at least as extreme.

    Returns:
        p in (0, 1]; 1 if all differences are zero.

    Raises:
        ValueError: if there are no differences, or one is not finite.

    Source: Fisher 1935, The Design of Experiments, section 21.
    """
    values = np.asarray(differences, dtype=np.float64)
    if not values.size:
        raise ValueError("no differences to test")
    if not np.isfinite(values).all():
        raise ValueError(f"cannot test {list(differences)}: not all finite")
    tolerance = len(values) * (rounding + 1e-12 * np.abs(values).max())
    threshold = abs(values.sum()) - tolerance
    if len(values) <= EXACT_UP_TO:
        return float(np.mean(np.abs(_signed_sums(values)) >= threshold))
    signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(MONTE_CARLO_SAMPLES, len(values)))
    extreme = np.count_nonzero(np.abs(signs @ values) >= threshold)
    return (extreme + 1) / (MONTE_CARLO_SAMPLES + 1)


def _signed_sums(values: np.ndarray) -> np.ndarray:
    """Sums for every choice of the signs after the first, shape (2^(n-1),): flipping all signs keeps the magnitude."""
    sums = values[:1]
    for value in values[1:]:
        sums = np.concatenate([sums + value, sums - value])
    return sums


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment of a family of p values, in the given order; adjusted values are at most 1.

    Raises:
        ValueError: if one is not in [0, 1].

    Source: Holm 1979, Scandinavian Journal of Statistics 6, 65-70.
    """
    if not all(0 <= p <= 1 for p in p_values):
        raise ValueError(f"p values must be in [0, 1]: {list(p_values)}")
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def seeds_needed(comparisons: int, *, alpha: float = ALPHA) -> int:
    """The fewest seeds with which any of this many comparisons can be claimed: 2 / 2^n <= alpha / comparisons.

    Raises:
        ValueError: if there is no comparison, or alpha is not in (0, 1).
    """
    if comparisons < 1 or not 0 < alpha < 1:
        raise ValueError(
            f"comparisons={comparisons}, alpha={alpha}: needs at least one comparison and an alpha between 0 and 1"
        )
    seeds = 1
    while comparisons * 2 / 2**seeds > alpha:
        seeds += 1
    return seeds
