"""Checks of single values that a user types under `data`."""

import math

from gradflow.errors import ConfigError


def is_whole(value: object) -> bool:
    """Whether a value is an integer (True and False are not)."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_finite(value: object) -> bool:
    """Whether a value is an integer or a finite float."""
    return is_whole(value) or (isinstance(value, float) and math.isfinite(value))


def shown(value: object) -> str:
    """A value as it is typed on the command line."""
    return str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)


def check_whole(key: str, value: object, *, at_least: int, remedy: str) -> None:
    """Raises ConfigError unless `data.<key>` is an integer, at least `at_least`; the message ends in the remedy."""
    if not (isinstance(value, int) and is_whole(value) and value >= at_least):
        raise ConfigError(f"data.{key}={shown(value)}: it is a whole number, at least {at_least}, e.g. {remedy}")
