"""The errors that gradflow turns into an exit status. Each can be pickled, so that any launcher can pass it on."""

import difflib
import errno
import math
import re
from collections.abc import Iterable
from typing import TypeGuard

LONGEST_SHOWN = 100  # characters of a value in a message
# Control characters other than newline and tab; separators of lines and paragraphs; what changes the direction or has
# no width; halves of characters, as in file names that are not UTF-8; what is no character at all.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufffe\uffff]"
)


class ConfigError(ValueError):
    """Wrong input: one line with the key, the value and the remedy. Exit status 2."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(" ".join(message.splitlines())))


class Diverged(ArithmeticError):
    """The loss or a gradient is no longer finite: a result of the run, not a fault in the program."""


class CannotWrite(OSError):
    """A file cannot be written: one line with the file, the cause and the remedy. Exit status 1.

    Its arguments are those of OSError: number, message, file.
    """

    def __str__(self) -> str:
        remedy = "free some space" if self.errno in (errno.ENOSPC, errno.EDQUOT) else "mend that"
        why = str(self.strerror).lower()
        return f"{self.filename}: cannot be written ({why}); {remedy} and give the same command again"


class RunsFailed(RuntimeError):
    """At least one run of the command failed; its run.json has the error. Exit status 1."""


def nearest(word: str, choices: Iterable[str]) -> str:
    """`; did you mean a, b?` with the choices most like the word; empty if none is."""
    close = difflib.get_close_matches(word, list(choices), n=3, cutoff=0.5)
    return f"; did you mean {', '.join(close)}?" if close else ""


def shown(value: object) -> str:
    """A value as typed on the command line, on one line: long ones shortened, control characters escaped."""
    text = str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)
    return one_line(text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}...")


def printable(text: str) -> str:
    """The text with its control characters spelled out, such as `\\x1b`; newlines and tabs stay."""
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def one_line(text: str) -> str:
    """The text with newlines and tabs spelled out too."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def is_whole(value: object) -> TypeGuard[int]:
    """Whether a value is an integer (True and False are not)."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_finite(value: object) -> bool:
    """Whether a value is an integer or a finite float."""
    return is_whole(value) or (isinstance(value, float) and math.isfinite(value))


def check_whole(key: str, value: object, *, at_least: int, example: object = None) -> int:
    """The value, if it is an integer of at least `at_least`.

    Args:
        key: as typed on the command line, e.g. `data.batch_size`.
        value: the value to check.
        at_least: the smallest integer allowed.
        example: a legal value for the message; None for 2, or `at_least` if that is larger.

    Raises:
        ConfigError: for anything else.
    """
    if not is_whole(value) or value < at_least:
        remedy = max(at_least, 2) if example is None else example
        raise ConfigError(f"{key}={shown(value)}: needs a whole number of at least {at_least}, e.g. {key}={remedy}")
    return value
