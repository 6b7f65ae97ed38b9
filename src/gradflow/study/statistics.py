"""Averages over seeds: numbers in, numbers out.

Shape letters: R runs (seeds), S steps.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95  # of the intervals
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
