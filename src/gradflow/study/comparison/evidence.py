"""What differences paired by seed show: numbers in, numbers out. docs/statistics.md says what each assumes.

Shape letters: X any leading shape, N differences (one per seed), M comparisons of a family.
"""

import functools

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

ALPHA = 0.05  # probability of one or more false claims in a family
EXACT_UP_TO = 20  # seeds: 2^19 sums
MONTE_CARLO_SAMPLES = 100_000
_AT_ONCE = 5_000  # of them in memory as float64
FEWEST_PAIRS = 3  # for a t test: two differences say next to nothing about their spread
STRONG_SKEW = 1.0  # of the moment coefficient of skewness; Bulmer 1979, Principles of Statistics


def sign_flip_p(differences_XN: ArrayLike, *, rounding: float = 0.0) -> np.ndarray:
    """Two-sided p values of the hypothesis that paired differences are symmetric around zero.

    Of the 2^n ways to choose the differences' signs, the share whose sum is at least as far from zero as the observed
    one. Equals `scipy.stats.permutation_test(..., permutation_type="samples")` except for ties, which are common here:
    differences of accuracies are multiples of one over the number of samples. scipy treats sums that differ only by
    the rounding of float32 scores as different, which makes its p values too small.

    Args:
        differences_XN: one per seed, shape (..., n). Exact up to n = 20; beyond that, 100,000 random sign vectors from
            a fixed seed, plus the observed one, so that p is never 0.
        rounding: the absolute error of a difference. Sums that differ by no more than n times this are tied; ties count
            as at least as extreme.

    Returns:
        p in (0, 1], shape (...); 1 if all differences are zero.

    Raises:
        ValueError: if there are no differences, or one is not finite.

    Source: Fisher 1935, The Design of Experiments, section 21.
    """
    values_XN = _checked(differences_XN)
    n = values_XN.shape[-1]
    tolerance_X = n * (rounding + 1e-12 * np.abs(values_XN).max(axis=-1))
    threshold_X1 = (np.abs(values_XN.sum(axis=-1)) - tolerance_X)[..., None]
    if n <= EXACT_UP_TO:
        return np.mean(np.abs(_signed_sums(values_XN)) >= threshold_X1, axis=-1)
    extreme_X = np.zeros(values_XN.shape[:-1], np.int64)
    for signs_SN in np.split(_signs(n), MONTE_CARLO_SAMPLES // _AT_ONCE):
        sums_XS = values_XN @ signs_SN.T.astype(np.float64)
        extreme_X += np.count_nonzero(np.abs(sums_XS) >= threshold_X1, axis=-1)
    return (extreme_X + 1) / (MONTE_CARLO_SAMPLES + 1)


@functools.lru_cache(maxsize=1)
def _signs(n: int) -> np.ndarray:
    """Random sign vectors, the same in every call: int8 of shape (MONTE_CARLO_SAMPLES, n)."""
    generator = np.random.default_rng(0)
    parts = [generator.choice([-1.0, 1.0], size=(_AT_ONCE, n)) for _ in range(MONTE_CARLO_SAMPLES // _AT_ONCE)]
    return np.concatenate([part.astype(np.int8) for part in parts])


def paired_t_p(differences_XN: ArrayLike, *, rounding: float = 0.0) -> np.ndarray:
    """Two-sided p values of the paired t test: that the mean of roughly normal differences is zero.

    Args:
        differences_XN: one per seed, shape (..., n).
        rounding: the absolute error of a difference.

    Returns:
        p in [0, 1], shape (...); 1 with fewer than three differences, or if all are equal up to rounding.

    Raises:
        ValueError: as in `sign_flip_p`.

    Source: Student 1908, Biometrika 6, 1-25.
    """
    values_XN = _checked(differences_XN)
    p_X = np.ones(values_XN.shape[:-1])
    usable_X = ~all_equal(values_XN, rounding=rounding) & (values_XN.shape[-1] >= FEWEST_PAIRS)
    if usable_X.any():
        p_X[usable_X] = stats.ttest_1samp(values_XN[usable_X], 0.0, axis=-1).pvalue
    return p_X


def holm(p_XM: ArrayLike) -> np.ndarray:
    """Holm's step-down adjustment of a family of p values, in the given order; adjusted values are at most 1.

    Args:
        p_XM: one per comparison, shape (..., m).

    Raises:
        ValueError: if one is not in [0, 1].

    Source: Holm 1979, Scandinavian Journal of Statistics 6, 65-70.
    """
    p_XM = np.asarray(p_XM, dtype=np.float64)
    if not ((p_XM >= 0) & (p_XM <= 1)).all():
        raise ValueError(f"p values must be in [0, 1]: {p_XM.tolist()}")
    order_XM = np.argsort(p_XM, axis=-1, kind="stable")
    factors_M = np.arange(p_XM.shape[-1], 0, -1)
    raised_XM = np.minimum(1.0, np.take_along_axis(p_XM, order_XM, axis=-1) * factors_M)
    adjusted_XM = np.empty_like(p_XM)
    np.put_along_axis(adjusted_XM, order_XM, np.maximum.accumulate(raised_XM, axis=-1), axis=-1)
    return adjusted_XM


def claims(
    flips_XM: ArrayLike, t_XM: ArrayLike, *, seeds_M: ArrayLike, alpha: float = ALPHA
) -> tuple[np.ndarray, np.ndarray]:
    """Which comparisons of a family are shown, and which others are suggested.

    Args:
        flips_XM: `sign_flip_p` of each comparison, shape (..., m); 1 where it has none.
        t_XM: `paired_t_p` likewise.
        seeds_M: how many seeds each comparison has; broadcast.
        alpha: probability of one or more false claims in the family, for each kind of claim.

    Returns:
        Two arrays of truth values, shape (..., m).
    """
    shown_XM = holm(flips_XM) <= alpha
    too_few_M = np.asarray(seeds_M) < seeds_needed(shown_XM.shape[-1], alpha=alpha)
    return shown_XM, ~shown_XM & too_few_M & (holm(t_XM) <= alpha)


def seeds_needed(comparisons: int, *, alpha: float = ALPHA) -> int:
    """The fewest seeds with which any of this many comparisons can be shown: 2 / 2^n <= alpha / comparisons.

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


def all_equal(differences_XN: ArrayLike, *, rounding: float = 0.0) -> np.ndarray:
    """Whether differences are the same in every seed, up to the absolute error of each. Shape (...)."""
    values_XN = np.asarray(differences_XN, dtype=np.float64)
    # Where no rounding is known, that of float64.
    tolerance_X = 2 * rounding + 1e-12 * np.abs(values_XN).max(axis=-1)
    return np.ptp(values_XN, axis=-1) <= tolerance_X


def is_skewed(differences_XN: ArrayLike, *, rounding: float = 0.0) -> np.ndarray:
    """Whether the differences are so skewed that their mean describes none of them, as when one run in five collapses.

    The moment coefficient of skewness is then beyond 1. Three differences never are: theirs is at most 0.71.
    """
    values_XN = _checked(differences_XN)
    skewed_X = np.zeros(values_XN.shape[:-1], dtype=bool)
    varied_X = ~all_equal(values_XN, rounding=rounding)
    if varied_X.any():
        skewed_X[varied_X] = np.abs(stats.skew(values_XN[varied_X], axis=-1)) > STRONG_SKEW
    return skewed_X


def probability_of_improvement(differences_XN: ArrayLike, *, rounding: float = 0.0) -> np.ndarray:
    """The share of pairs with a positive difference; a tie, up to rounding, counts half. Shape (...), in [0, 1].

    Source: Agarwal et al. 2021, arXiv:2108.13264, there over all pairs of runs, here over pairs of one seed.
    """
    values_XN = _checked(differences_XN)
    return np.mean((values_XN > rounding) + 0.5 * (np.abs(values_XN) <= rounding), axis=-1)


def _checked(differences: ArrayLike) -> np.ndarray:
    values = np.asarray(differences, dtype=np.float64)
    if not values.size:
        raise ValueError("no differences to test")
    if not np.isfinite(values).all():
        raise ValueError(f"cannot test {values.tolist()}: not all finite")
    return values


def _signed_sums(values_XN: np.ndarray) -> np.ndarray:
    """Sums for every choice of the signs after the first: flipping all signs keeps the magnitude. (..., 2^(n-1))."""
    sums = values_XN[..., :1]
    for place in range(1, values_XN.shape[-1]):
        value = values_XN[..., place : place + 1]
        sums = np.concatenate([sums + value, sums - value], axis=-1)
    return sums
