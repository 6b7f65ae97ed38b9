"""The gain per layer against ratios by hand and numpy's least-squares line."""

import numpy as np
import pytest

from gradflow.runs.gradient_gain import gain_per_layer, longest_chain


def test_the_gain_per_layer_is_the_factor_towards_the_input():
    rms = np.array([[1e-6, 1e-4, 1e-2, 1.0], [1.0, 0.1, 0.01, 0.001], [2.0, 2.0, 2.0, 2.0]])
    assert gain_per_layer(rms).tolist() == pytest.approx([0.01, 10, 1], rel=1e-12)


def test_the_gain_of_two_layers_is_their_ratio():
    assert gain_per_layer(np.array([[0.3, 0.5]])).tolist() == pytest.approx([0.6], rel=1e-12)


@pytest.mark.parametrize("layers", [2, 3, 8])
def test_the_gain_per_layer_is_numpys_least_squares_line(layers):
    rms = 10 ** np.random.default_rng(layers).normal(size=(5, layers), scale=3)
    slopes = [np.polyfit(np.arange(layers), np.log10(row), 1)[0] for row in rms]
    assert gain_per_layer(rms) == pytest.approx(10.0 ** -np.array(slopes), rel=1e-9)


def test_the_gain_per_layer_is_not_a_number_where_a_layer_has_no_gradient():
    rms = np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    assert np.isnan(gain_per_layer(rms)).all()


@pytest.mark.parametrize(
    ("shapes", "chain"),
    [
        ([(64, 1), (64, 64), (64, 64), (64, 64)], [1, 2, 3]),  # stem and blocks
        ([(64, 64), (64, 64), (64, 64)], [1, 2]),  # the first layer sees the data, whatever its shape
        ([(64, 64), (64, 64)], []),
        ([(128, 64), (64, 128), (64, 64), (64, 128), (64, 64), (64, 64)], [2, 4, 5]),  # not necessarily neighbours
        ([(9, 9), (2, 2), (3, 3), (2, 2), (3, 3)], [1, 3]),  # of two, the one nearer to the input
        ([(6, 1), (16, 6), (120, 16)], []),
        ([(4, 4)], []),
    ],
)
def test_the_gain_is_taken_over_the_most_layers_of_one_shape(shapes, chain):
    assert longest_chain(shapes) == chain
