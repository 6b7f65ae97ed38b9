"""How the lesson writes numbers in its sentences."""

import math
from decimal import Decimal

from gradflow.study.statistics import Summary

MINUS, SPACE = "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"
METRE, KILOMETRE = 1.0, 1e3
# Something to shrink, in metres across or along: IAU 2015 (Earth, equatorial), IAU 2012 (astronomical unit), a Julian
# year at the speed of light, the Milky Way's disc, the comoving diameter of the observable universe.
_WHOLES = {
    "a metre": METRE,
    "a kilometre": KILOMETRE,
    "the width of the Earth": 1.27562e7,
    "the way to the Sun": 1.495978707e11,
    "a light-year": 9.4607e15,
    "the width of the Milky Way": 9.5e20,
    "the width of the observable universe": 8.8e26,
}
_SEEN, _HAIR, _ATOM, _PROTON = 1e-3, 5e-5, 1e-10, 1.68e-15  # metres: a ruler's finest mark; thin hair, hydrogen, proton
_LENGTHS = (("km", 1e3), ("m", 1.0), ("cm", 1e-2), ("mm", 1e-3))
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def percent(fraction: float, digits: int = 0) -> str:
    """`97 %`, with a no-break space."""
    return f"{100 * fraction:.{digits}f}{SPACE}%"


def short(value: float, digits: int = 3) -> str:
    """Up to `digits` significant digits: `0.25`, `1.13`, `∞`; powers of ten where that would be long: `3.4 · 10⁻⁴³`."""
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e4:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa}{SPACE}·{SPACE}{power('10', int(exponent))}".replace("-", MINUS)
    text = f"{float(f'{value:.{digits}g}'):g}" if abs(value) < 10**digits else f"{value:.0f}"  # 99.6: 100, not 1e+02
    return text.replace("-", MINUS)


def power(base: str, exponent: int) -> str:
    """`0.25⁶`."""
    return base + str(exponent).translate(_SUPERSCRIPTS)


def length(metres: float) -> str:
    """`7 mm`, `24 cm`, `79,000 km`: two significant digits in the largest unit of which there is at least one."""
    unit, size = next(((unit, size) for unit, size in _LENGTHS if metres >= 0.995 * size), _LENGTHS[-1])
    return f"{rounded(metres / size)}{SPACE}{unit}"


def rounded(value: float) -> str:
    """Two significant digits, without powers of ten: `7`, `0.032`, `140,000`."""
    exact = Decimal(f"{value:.1e}")
    return f"{exact.normalize():,f}"


def shrunk(fraction: float) -> str:
    """What shrinks to something that can be pictured: `a kilometre shrunk to 7 mm`.

    The smallest of a few lengths, from a metre to the observable universe, that is then at least a millimetre.

    Args:
        fraction: above 0 and below 1.
    """
    whole, metres = next(
        ((whole, metres) for whole, metres in _WHOLES.items() if fraction * metres >= _SEEN), list(_WHOLES.items())[-1]
    )
    return f"{whole} shrunk to {_image(fraction * metres)}"


def _image(metres: float) -> str:
    if metres >= _HAIR:
        return length(metres)
    named = {"less than a proton": _PROTON, "less than an atom": _ATOM, "less than the width of a hair": _HAIR}
    return next(name for name, most in named.items() if metres < most)


def grown(factor: float) -> str:
    """What grows to something that can be pictured: `a millimetre grown to 6.2 times the width of the Earth`.

    Args:
        factor: at least 1.
    """
    metres = factor * 1e-3
    larger = [(whole, size) for whole, size in _WHOLES.items() if size > KILOMETRE and metres >= size]
    if not larger:
        return f"a millimetre grown to {length(metres)}"
    whole, size = larger[-1]
    return f"a millimetre grown to {rounded(metres / size)} times {whole}"


def one_in(fraction: float) -> str:
    """`1 in 140,000`: two significant digits; `1 in 10¹⁹` where a number with so many zeros could not be read.

    Args:
        fraction: above 0.
    """
    if fraction < 1e-9:
        return f"1 in {power('10', round(-math.log10(fraction)))}"
    return f"1 in {rounded(1 / fraction)}"


def about(ratio: Summary | None) -> str:
    """`3.8 times`: without the interval."""
    return "∞ times (a seed diverged)" if ratio is None else f"{_factor(ratio.mean)} times"


def times(ratio: Summary | None) -> str:
    """`3.8 times (2.7 to 5.4)`: with the 95 % interval."""
    return about(ratio) if ratio is None else f"{about(ratio)} ({_factor(ratio.low)} to {_factor(ratio.high)})"


def _factor(value: float) -> str:
    """Two significant digits, as a plain number up to a million."""
    return rounded(value) if 1e-3 <= value < 1e6 else short(value, 2)
