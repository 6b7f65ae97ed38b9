"""How a score goes with depth, by hand-computed means and spreads."""

import math

import pytest

from gradflow.runs.metrics import MetricTable
from gradflow.study.courses import course, point

ACCURACY = MetricTable()["test/acc_at_best"]
R2 = MetricTable()["test/r2_at_best"]
NORM = MetricTable()["grad_norm/total"]


def said(by_depth, metric=ACCURACY):
    return course([point(blocks, values, metric) for blocks, values in by_depth.items()], metric)


@pytest.mark.parametrize(
    ("by_depth", "words"),
    [
        ({1: [0.98, 0.99], 8: [0.985, 0.995]}, "stays at 98 to 99 % at every depth"),
        ({1: [0.101], 4: [0.101]}, "stays at 10 % at every depth"),
        ({1: [0.96], 8: [0.63]}, "falls from 96 to 63 %"),
        # 4 points up, where two runs differ by √(3² + 3²) = 4.2 points (sd of ±2.1 points: 3) and no more.
        ({1: [0.779, 0.821], 8: [0.819, 0.861]}, "varies from 80 to 84 % with depth, no more than from seed to seed"),
        ({1: [0.799, 0.801], 8: [0.839, 0.841]}, "rises from 80 to 84 %"),
        ({1: [0.9], 2: [0.99], 8: [0.5]}, "rises from 90 to 99 % at 2 blocks, then falls to 50 %"),
        ({1: [0.9], 4: [0.5], 8: [0.9]}, "falls from 90 to 50 % at 4 blocks, then rises to 90 %"),
        ({1: [0.9], 2: [0.99], 4: [0.2], 8: [0.9]}, "swings between 20 and 99 % with depth"),
        ({1: [0.9], 2: [0.5], 4: [0.7], 8: [0.3]}, "falls from 90 to 30 %, with ups and downs"),
        ({1: [0.9], 2: [0.918], 4: [0.885], 8: [0.9]}, "varies from 88 to 92 % with depth, without a trend"),
        ({4: [0.25]}, "reaches 25 %"),
        ({None: [0.25]}, "reaches 25 %"),
    ],
)
def test_the_words_follow_from_means_and_the_spread_over_seeds(by_depth, words):
    assert said(by_depth) == words


def test_what_is_not_all_is_not_shown_as_all():
    assert said({None: [0.9996]}) == "reaches 99.96 %"
    assert said({None: [0.996]}) == "reaches 99.6 %"
    assert said({None: [1.0]}) == "reaches 100 %"
    assert said({None: [0.004]}) == "reaches 0.4 %"
    assert said({None: [0.99999]}) == "reaches 99.999 %"
    assert said({None: [1 - 1e-7]}) == "reaches 100 %"  # all, in float32


def test_what_is_no_fraction_is_compared_relatively_and_magnitudes_in_decades():
    assert said({1: [0.41], 8: [0.42]}, R2) == "stays at 0.41 to 0.42 at every depth"
    assert said({1: [0.41], 8: [0.2]}, R2) == "falls from 0.41 to 0.2"
    assert said({1: [1e-2, 1e-4], 8: [1e-6, 1e-8]}, NORM) == "falls from 0.001 to 1e-07"
    assert said({1: [-0.001], 8: [0.004]}, R2) == "stays at -0.001 to 0.004 at every depth"
    assert said({1: [-0.5], 8: [0.5]}, R2) == "rises from -0.5 to 0.5"
    assert said({1: [1.0], 8: [1.2]}, NORM) == "stays at 1 to 1.2 at every depth"


def test_a_depth_that_the_study_has_besides_is_not_passed_over():
    one, other = (point(blocks, [0.25], ACCURACY) for blocks in (1, 4))
    assert course([other], ACCURACY, depths={1, 4}) == "reaches 25 % at 4 blocks"
    assert course([one, other], ACCURACY, depths={1, 4}) == "stays at 25 % at every depth"
    assert course([one, other], ACCURACY, depths={1, 4, 8}) == "stays at 25 %"


def test_only_numbers_are_averaged():
    assert point(1, [math.nan], ACCURACY) is None
    assert point(1, [0.0], NORM) is None
    assert point(1, [0.5, math.inf], ACCURACY).n == 1
