"""Checks of single values, each with one line that names key, value and remedy."""

import difflib
import math
from collections.abc import Iterable

from omegaconf import DictConfig, OmegaConf

from gradflow.data.options import shown
from gradflow.errors import ConfigError


def whole(cfg: DictConfig, key: str, *, at_least: int) -> None:
    """Refuse a value that is not a whole number of at least `at_least`."""
    value = OmegaConf.select(cfg, key)
    if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
        raise ConfigError(
            f"{key}={shown(value)}: needs a whole number of at least {at_least}, e.g. {key}={max(at_least, 2)}"
        )


def number(cfg: DictConfig, key: str, *, low: float, high: float = math.inf, example: float) -> None:
    """Refuse a value that is not a finite number in [low, high)."""
    value = OmegaConf.select(cfg, key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value < high:
        below = f" and below {high:g}" if math.isfinite(high) else ", finite"
        raise ConfigError(f"{key}={shown(value)}: needs a number of at least {low:g}{below}, e.g. {key}={example:g}")


def nearest(word: str, choices: Iterable[str]) -> str:
    """`; did you mean a, b?` for the choices that look like the word, or nothing."""
    close = difflib.get_close_matches(word, list(choices), n=3, cutoff=0.5)
    return f"; did you mean {', '.join(close)}?" if close else ""
