"""What a mean score would be for new images and new seeds: an interval that counts both, numbers in, numbers out.

An interval over seeds alone takes the test images as given, although other images would have given another score. Here
the images are resampled, and every resampled mean is shifted by what a Student t distribution says about the seeds:
with three to ten of them, resampling the seeds too would give intervals that are too narrow (docs/intervals.md has the
simulation).

Sources: Bouthillier et al. 2021, arXiv:2103.03098, for the sources of variation; Agarwal et al. 2021, arXiv:2108.13264,
for intervals from few seeds; Owen 2007, The pigeonhole bootstrap, Annals of Applied Statistics 1(2), for crossed data.

Shape letters: R runs (seeds), U images tested by any of them, B resamples.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from gradflow.study.statistics import LEVEL, UNLIMITED

RESAMPLES = 2000
_AT_ONCE = 2**21  # counts drawn at a time: 16 MB


class Answers(NamedTuple):
    """What one run answered: row numbers of its test images in the data, and a value for each, e.g. 1 if right."""

    rows: np.ndarray
    values: np.ndarray


class Interval(NamedTuple):
    """Both bounds are NaN where there is no interval."""

    low: float
    high: float


NONE = Interval(math.nan, math.nan)


def difference(one: Answers, other: Answers) -> Answers:
    """The first run's value minus the second's, for the images that both have tested."""
    rows, in_one, in_other = np.intersect1d(one.rows, other.rows, assume_unique=True, return_indices=True)
    return Answers(rows, one.values[in_one].astype(float) - other.values[in_other])


def new_images_and_seeds(
    runs: Sequence[Answers],
    *,
    level: float = LEVEL,
    within: tuple[float, float] = UNLIMITED,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """The interval of the mean over the runs of each run's mean value.

    Images are resampled by their row number, jointly for all runs: an image drawn twice counts twice in every run that
    has tested it. If the runs have different test sets (`resample_split=true`), the images of all of them are resampled
    together, and each run's mean is over those that it has tested. There the standard deviation over the runs contains
    that of their images once more, so that the interval is too wide rather than too narrow.

    Args:
        runs: one per seed, each with at least one image.
        level: of the interval, in (0, 1).
        within: the lowest and highest possible mean, at which the interval ends.
        resamples: of the images.
        seed: of the resampling.

    Returns:
        The percentiles of the resampled means. None with fewer than two seeds, or where all values are equal: what has
        never failed says nothing about how often it will.
    """
    present_RU, values_RU = _aligned(runs)
    values = values_RU[present_RU]
    if len(runs) < 2 or values.min() == values.max():
        return NONE
    means_R = values_RU.sum(axis=1) / present_RU.sum(axis=1)
    generator = np.random.default_rng(seed)
    resampled_B = np.concatenate(
        [
            resampled_means(counts_BU, present_RU, values_RU).mean(axis=1)
            for counts_BU in _counts(present_RU.shape[1], resamples, generator)
        ]
    )
    # Evenly spaced quantiles in random order in place of random draws: the tails are then exact.
    t_B = stats.t.ppf((generator.permutation(resamples) + 0.5) / resamples, len(runs) - 1)
    shifted_B = resampled_B + t_B * means_R.std(ddof=1) / math.sqrt(len(runs))
    low, high = np.quantile(shifted_B, [(1 - level) / 2, (1 + level) / 2], method="hazen")
    return Interval(max(float(low), within[0]), min(float(high), within[1]))


def resampled_means(counts_BU: np.ndarray, present_RU: np.ndarray, values_RU: np.ndarray) -> np.ndarray:
    """The mean of each run in each resample, shape (B, R).

    Args:
        counts_BU: how often each image was drawn.
        present_RU: whether a run has tested an image.
        values_RU: its value, 0 where it has not.

    Returns:
        The run's mean over all of its images where a resample has none of them.
    """
    sums_BR, sizes_BR = counts_BU @ values_RU.T, counts_BU @ present_RU.T.astype(float)
    means_R = values_RU.sum(axis=1) / present_RU.sum(axis=1)
    whole_BR = np.broadcast_to(means_R, sums_BR.shape).copy()
    return np.divide(sums_BR, sizes_BR, out=whole_BR, where=sizes_BR > 0)


def _aligned(runs: Sequence[Answers]) -> tuple[np.ndarray, np.ndarray]:
    """Which images each run has tested, bool, and their values, float64, both of shape (R, U)."""
    rows = np.unique(np.concatenate([run.rows for run in runs]))
    present_RU = np.zeros((len(runs), len(rows)), bool)
    values_RU = np.zeros(present_RU.shape)
    for run, present, values in zip(runs, present_RU, values_RU, strict=True):
        places = np.searchsorted(rows, run.rows)
        present[places], values[places] = True, run.values
    return present_RU, values_RU


def _counts(images: int, resamples: int, generator: np.random.Generator) -> Iterator[np.ndarray]:
    """How often each image is drawn in each resample, float64, shape (B, U), a few resamples at a time."""
    size = max(1, _AT_ONCE // images)
    for start in range(0, resamples, size):
        some = min(size, resamples - start)
        drawn = generator.integers(images, size=(some, images)) + images * np.arange(some)[:, None]
        yield np.bincount(drawn.ravel(), minlength=some * images).reshape(some, images).astype(float)
