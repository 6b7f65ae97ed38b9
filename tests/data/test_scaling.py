"""Pixel ranges and z-scores."""

import numpy as np
import pytest

from gradflow.data.scaling import check_pixel_range, pixel_map, z_scores
from gradflow.errors import ConfigError


def test_pixel_map_sends_the_ends_to_the_ends():
    scale, shift = pixel_map((-1.0, 1.0), pixel_max=16)
    assert 0 * scale + shift == -1
    assert 8 * scale + shift == 0
    assert 16 * scale + shift == 1
    assert pixel_map((0.0, 255.0), pixel_max=255) == (1, 0)


@pytest.mark.parametrize("bad", [[1, 0], [0, 0], [0], [0, 1, 2], ["a", "b"], [0, float("inf")], 5, "01", [None, 1]])
def test_bad_pixel_ranges_are_refused(bad):
    with pytest.raises(ConfigError, match=r"^data\.pixel_range=.*e\.g\. data\.pixel_range=\[-1,1\]$"):
        check_pixel_range(bad)


def test_z_scores_by_hand():
    table = np.array([[1, 10], [3, 20], [5, 90]], np.float32)
    scores, sd = z_scores(table, np.array([0, 1]))  # means 2 and 15, deviations 1 and 5
    assert scores.tolist() == [[-1, -1], [1, 1], [3, 15]]
    assert sd.tolist() == [1, 5]
    assert scores.dtype == np.float32


def test_a_constant_feature_is_only_centred():
    table = np.array([[0.1], [0.1], [0.1], [1.1]], np.float32)  # the deviation of three 0.1 is not exactly 0
    scores, sd = z_scores(table, np.array([0, 1, 2]))
    assert sd.tolist() == [1]
    assert scores[:3, 0].tolist() == pytest.approx([0, 0, 0], abs=1e-7)
    assert scores[3, 0] == pytest.approx(1)


def test_z_scores_of_large_numbers_lose_nothing_to_rounding():
    values = 1e6 + np.arange(5)  # exact in float32; their squares are not
    scores, sd = z_scores(values.astype(np.float32), np.arange(5))
    assert float(sd) == pytest.approx(np.sqrt(2))
    assert scores.tolist() == pytest.approx(((np.arange(5) - 2) / np.sqrt(2)).tolist(), rel=1e-6)
