"""The expected length of runs, by hand."""

import pytest

from gradflow.sweep.time_left import Pace, Paces, in_words


def test_a_configuration_that_is_measured_is_believed():
    paces = Paces([Pace("a", 2, 3.0), Pace("a", 2, 5.0), Pace("b", 4, 7.0)])
    assert paces.of("a", 2) == 4.0
    assert paces.of("b", 4) == 7.0


def test_other_depths_lie_on_the_line_through_those_that_are_measured():
    paces = Paces([Pace("a", 1, 3.0), Pace("b", 3, 5.0)])  # 2 + 1 for each block
    assert paces.of("c", 8) == pytest.approx(10.0)
    assert paces.of("d", None) == pytest.approx(2.0)


def test_from_one_depth_time_grows_with_blocks_and_one_more_layer():
    assert Paces([Pace("a", 1, 3.0), Pace("b", 1, 5.0)]).of("c", 4) == pytest.approx(2.0 * 5)


def test_no_network_is_expected_to_take_less_than_no_time():
    paces = Paces([Pace("a", 1, 1.0), Pace("b", 3, 5.0)])  # the line would be at -1 without blocks: 6 s for 6 layers
    assert paces.of("c", None) == pytest.approx(1.0)
    assert paces.of("d", 8) == pytest.approx(9.0)


def test_where_depth_costs_nothing_every_run_takes_the_mean():
    assert Paces([Pace("a", 1, 3.0), Pace("b", 9, 1.0)]).of("c", 100) == 2.0


def test_before_anything_is_measured_layers_count():
    assert (Paces([]).of("a", 1), Paces([]).of("a", 8)) == (2.0, 9.0)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3, "a few seconds left"),
        (14, "about 10 s left"),
        (54, "about 50 s left"),
        (56, "about 1 min left"),
        (700, "about 12 min left"),
        (3600, "about 1 h left"),
        (3 * 3600 + 22 * 60, "about 3 h 20 min left"),
    ],
)
def test_time_is_said_no_more_exactly_than_it_is_known(seconds, words):
    assert in_words(seconds) == words
