"""Intervals for new images and new seeds, by hand, against exact distributions, and in a simulation."""

import math

import intervals
import numpy as np
import pytest
from scipy import stats

from gradflow.study.bootstrap import Answers, difference, new_images_and_seeds, resampled_means
from gradflow.study.statistics import summary


def runs(values_RU, rows=None):
    rows = rows or [range(len(values_RU[0]))] * len(values_RU)
    return [Answers(np.array(own), np.array(values, float)) for own, values in zip(rows, values_RU, strict=True)]


def test_means_of_resamples_by_hand():
    """Three images; the second run has tested only the first two."""
    present, values = np.array([[1, 1, 1], [1, 1, 0]], bool), np.array([[1, 0, 1], [0, 1, 0]])
    counts = np.array([[1, 1, 1], [2, 1, 0], [0, 0, 3], [0, 3, 0]])
    expected = [[2 / 3, 1 / 2], [2 / 3, 1 / 3], [1, 1 / 2], [0, 1]]  # in the third, the second run keeps its mean
    assert resampled_means(counts.astype(float), present, values.astype(float)) == pytest.approx(np.array(expected))


def test_where_seeds_do_not_differ_the_bounds_are_binomial_quantiles():
    """The mean of m images drawn from m of which a share p is right is Binomial(m, p) / m."""
    answers = np.repeat([1, 0], [30, 10])
    found = new_images_and_seeds(runs([answers] * 3), resamples=20_000)
    assert found == pytest.approx(stats.binom.ppf([0.025, 0.975], 40, 0.75) / 40, abs=1e-9)


def test_where_images_do_not_differ_the_bounds_are_those_of_student_t():
    values = [0.2, 0.5, 0.3, 0.6]
    expected = summary(values)
    found = new_images_and_seeds(runs([[value] * 7 for value in values]))
    assert found == pytest.approx((expected.low, expected.high), abs=1e-4)


def test_both_add_as_variances_do():
    """A normal and a nearly normal part: many seeds, many images."""
    generator = np.random.default_rng(0)
    values = generator.normal(0, 0.1, (40, 1)) + generator.normal(0, 1.0, 900)
    images, seeds = values.mean(0).std(ddof=1) / 30, values.mean(1).std(ddof=1) / math.sqrt(40)
    low, high = new_images_and_seeds(runs(values), resamples=20_000)
    assert (high - low) / 2 == pytest.approx(1.98 * math.hypot(images, seeds), rel=0.03)
    assert (high + low) / 2 == pytest.approx(values.mean(), abs=0.05 * (high - low))


def test_images_are_known_by_their_rows():
    """The same images in another order, and others: the union is resampled."""
    generator = np.random.default_rng(1)
    answers = (generator.random((2, 50)) < 0.6).astype(float)
    order = generator.permutation(50)
    shuffled = [Answers(np.arange(50), answers[0]), Answers(order, answers[1][order])]
    assert new_images_and_seeds(shuffled) == new_images_and_seeds(runs(answers))
    apart = new_images_and_seeds(runs(answers, rows=[range(50), range(50, 100)]))
    assert apart != new_images_and_seeds(runs(answers))


def test_differences_are_of_the_images_that_both_have():
    one, other = runs([[1, 1, 0], [0, 0, 1]], rows=[[1, 3, 5], [3, 5, 9]])
    found = difference(one, other)
    assert found.rows.tolist() == [3, 5]
    assert found.values.tolist() == [1, 0]


def test_the_interval_ends_where_the_score_does():
    answers = np.ones((2, 20))
    answers[0, 0] = 0
    assert new_images_and_seeds(runs(answers), within=(0.0, 1.0)).high == 1.0
    assert new_images_and_seeds(runs(answers)).high > 1.0


@pytest.mark.parametrize("answers", [[[1, 0, 1]], [[1, 1], [1, 1]], [[0, 0], [0, 0]]])
def test_one_seed_or_equal_answers_have_no_interval(answers):
    assert all(map(math.isnan, new_images_and_seeds(runs(answers))))


def test_the_same_numbers_come_out_every_time():
    answers = runs((np.random.default_rng(2).random((3, 30)) < 0.5).astype(float))
    assert new_images_and_seeds(answers) == new_images_and_seeds(answers)
    assert new_images_and_seeds(answers) != new_images_and_seeds(answers, seed=1)


@pytest.mark.slow
def test_the_simulation_covers_what_the_interval_over_seeds_does_not():
    """Nominal 95 %; with 200 repetitions the standard error of a coverage is 1.5 points."""
    design = intervals.Design(seeds=5, images=200, of_seeds=0.05, of_images=1.0)
    found = intervals.coverages(design, repetitions=200)
    assert found["seeds alone"].share < 0.85
    assert found["images resampled, t over seeds"].share >= 0.91
    paired = intervals.coverages(intervals.Design(seeds=3, images=200, of_seeds=0.4, paired=True), repetitions=200)
    assert paired["both resampled"].share < 0.9 < paired["images resampled, t over seeds"].share
