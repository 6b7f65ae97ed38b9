"""The small pictures, against the shapes that they must have."""

import numpy as np
import pytest

from gradflow.lesson.experiments.families import by_kind
from gradflow.lesson.sections.gallery import gallery

PICTURES = {item.name: item for items in gallery().values() for item in items}


def points(path):
    return [tuple(float(number) for number in point.split()) for point in path[1:].split("L")]


def test_every_activation_has_a_picture_under_its_kind():
    assert {kind: [item.name for item in items] for kind, items in gallery().items()} == {
        kind: [family.name for family in found] for kind, found in by_kind().items()
    }


def test_relu_is_two_straight_lines_and_its_slope_a_step():
    relu = PICTURES["relu"]
    assert points(relu.functions[0]) == [(-40, 0), (0, 0), (40, -40)]  # ten to the unit, upwards is negative
    assert points(relu.slope) == [(-40, 0), (0, 0), (0, -10), (40, -10)]


def test_the_sigmoid_passes_one_half_at_0_where_its_slope_is_one_quarter():
    sigmoid = PICTURES["sigmoid"]
    assert np.interp(0, *zip(*points(sigmoid.functions[0]), strict=True)) == pytest.approx(-5, abs=0.1)
    assert min(y for _, y in points(sigmoid.slope)) == -2.5


def test_the_picture_of_relu6_shows_where_it_ends():
    *_, last = points(PICTURES["relu6"].functions[0])
    assert last == (90, -60)
    left, top, width, height = map(float, PICTURES["relu6"].view.split())
    assert left + width == 90
    assert top < -60 < top + height


def test_maxout_is_drawn_as_three_functions_that_it_can_become():
    relu, leaky, absolute = (points(path) for path in PICTURES["maxout"].functions)
    assert relu == [(-40, 0), (0, 0), (40, -40)]
    assert leaky == [(-40, 10), (0, 0), (40, -40)]
    assert absolute == [(-40, -40), (0, 0), (40, -40)]
    assert PICTURES["maxout"].slope == ""
