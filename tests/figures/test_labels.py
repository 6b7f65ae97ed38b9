"""Names at the ends of lines: where they stand."""

import pytest

from gradflow.figures.labels import LINE, Ruler, label_places

RULER = Ruler((0.0, 1.0), 140.0, is_logarithmic=False)  # a line of text is a tenth of the axis
TENTH = LINE / 140


def test_names_stand_at_the_ends_of_their_lines_where_these_are_apart():
    assert label_places([0.9, 0.2, 0.5], RULER) == pytest.approx([0.9, 0.2, 0.5])


def test_names_that_would_overlap_move_apart_by_equal_parts_in_the_order_of_the_lines():
    # Sum of squared moves is least where the mean of each crowd stays where it was.
    assert label_places([0.52, 0.48, 0.9], RULER) == pytest.approx([0.5 + TENTH / 2, 0.5 - TENTH / 2, 0.9])


def test_names_stay_within_the_axis():
    assert label_places([0.0, 0.0, 1.0], RULER) == pytest.approx([0.0, TENTH, 1.0])


def test_a_logarithmic_axis_is_measured_in_decades():
    ruler = Ruler((1e-4, 1.0), 4 * LINE, is_logarithmic=True)  # a line of text is a decade
    assert label_places([1e-2, 1e-2], ruler) == pytest.approx([10**-2.5, 10**-1.5])


def test_without_room_for_all_of_them_there_are_no_names():
    assert label_places([0.5] * 12, RULER) == []
    assert len(label_places([0.5] * 11, RULER)) == 11
