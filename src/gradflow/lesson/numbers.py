"""How the lesson writes numbers in its sentences."""

import math

from gradflow.study.statistics import Summary

MINUS, SPACE = "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"
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
    text = f"{value:.{digits}g}" if abs(value) < 10**digits else f"{value:.0f}"
    return text.replace("-", MINUS)


def power(base: str, exponent: int) -> str:
    """`0.25⁶`."""
    return base + str(exponent).translate(_SUPERSCRIPTS)


def times(ratio: Summary | None) -> str:
    """`3.8 times (2.7 to 5.4)`: with the 95 % interval."""
    if ratio is None:
        return "∞ times (a seed diverged)"
    return f"{short(ratio.mean, 2)} times ({short(ratio.low, 2)} to {short(ratio.high, 2)})"
