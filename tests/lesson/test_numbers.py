"""Numbers as the lesson's sentences say them, and what makes the smallest and the largest of them graspable."""

import pytest

from gradflow.lesson import numbers

PARSEC, MEGAPARSEC = 3.0857e16, 3.0857e22  # metres


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(0.25, 3, "0.25"), (84.4, 2, "84"), (99.6, 2, "100"), (999.7, 3, "1000"), (1234.6, 3, "1235")],
)
def test_short_numbers_have_no_power_of_ten_where_rounding_adds_a_digit(value, digits, text):
    assert numbers.short(value, digits) == text


@pytest.mark.parametrize(
    ("metres", "text"),
    [
        (0.007, "7 mm"),
        (0.24414, "24 cm"),
        (0.9999, "1 m"),
        (0.0099, "9.9 mm"),
        (300, "300 m"),
        (7.9e7, "79,000 km"),
        (0.00032, "0.32 mm"),
    ],
)
def test_a_length_has_two_digits_in_the_largest_unit_that_it_fills(metres, text):
    assert plain(numbers.length(metres)) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.034, "a metre shrunk to 3.4 cm"),
        (7e-6, "a kilometre shrunk to 7 mm"),  # 1,000 m / 1,000,000 = 1 mm; seven of them
        (0.25**6, "a kilometre shrunk to 24 cm"),  # 1,000 m / 4,096
        (1e-9, "the width of the Earth shrunk to 1.3 cm"),  # 12,756,200 m / 10⁹
        (1e-19, "the width of the Milky Way shrunk to 95 m"),  # 9.5e20 / 10¹⁹
        (1e-14, "the way to the Sun shrunk to 1.5 mm"),
        (1e-18, "a light-year shrunk to 9.5 mm"),
        (3.6e-32, "the width of the observable universe shrunk to less than the width of a hair"),  # 0.03 mm
        (1e-37, "the width of the observable universe shrunk to less than an atom"),  # 8.8e-11 m
        (3.2e-43, "the width of the observable universe shrunk to less than a proton"),  # 2.8e-16 m
    ],
)
def test_what_is_left_of_a_message_is_a_length_that_shrinks(fraction, text):
    assert plain(numbers.shrunk(fraction)) == text


@pytest.mark.parametrize(
    ("factor", "text"),
    [
        (10, "a millimetre grown to 1 cm"),
        (2e6, "a millimetre grown to 2 km"),
        (7.9e10, "a millimetre grown to 6.2 times the width of the Earth"),  # 7.9e7 m / 1.27562e7 m
    ],
)
def test_what_explodes_is_a_length_that_grows(factor, text):
    assert plain(numbers.grown(factor)) == text


@pytest.mark.parametrize(
    ("fraction", "text"), [(7e-6, "1 in 140,000"), (0.25, "1 in 4"), (0.01, "1 in 100"), (2.2e-20, "1 in 10²⁰")]
)
def test_how_many_it_is_one_of(fraction, text):
    assert numbers.one_in(fraction) == text


def test_the_lengths_that_shrink_are_those_of_the_textbooks():
    """From other constants than those of the table: light, parsecs, radii."""
    shrunk = numbers._WHOLES
    assert shrunk["the width of the Earth"] == pytest.approx(4e7 / 3.14159265, rel=0.01)  # the metre's first definition
    assert shrunk["the way to the Sun"] == pytest.approx(299_792_458 * 499, rel=1e-3)  # light takes 8 min 19 s
    assert shrunk["a light-year"] == pytest.approx(PARSEC / 3.2616, rel=1e-3)
    assert shrunk["the width of the Milky Way"] == pytest.approx(30_000 * PARSEC, rel=0.1)
    assert shrunk["the width of the observable universe"] == pytest.approx(2 * 14_260 * MEGAPARSEC, rel=0.01)
