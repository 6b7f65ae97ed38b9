"""What the commands besides train.py share: folders as they are typed, errors in one line, Ctrl-C."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from gradflow import signals, terminal
from gradflow.errors import CannotWrite, ConfigError


def run(command: Callable[[], object]) -> int:
    """Run a command; its exit status: 0, 1 where a file cannot be written, 2 for wrong input, 128 + signal."""
    terminal.accept_every_character()
    signals.listen()
    try:
        command()
    except (ConfigError, ValueError) as error:
        terminal.complain(error)
        return 2
    except CannotWrite as error:
        terminal.complain(error)
        return 1
    except (KeyboardInterrupt, signals.Signalled) as error:
        terminal.complain("interrupted")
        return signals.status_of(error)
    return 0


def purpose(docstring: str | None) -> str:
    """What a command is for: its module's docstring without how it is typed."""
    return (docstring or "").partition(": ")[2].capitalize()


def folder(typed: str) -> Path:
    """A folder's path, with `~` and `$NAME` expanded where a shell's quotes have kept them.

    Raises:
        argparse.ArgumentTypeError: if there is no such variable or user.
    """
    try:
        expanded = Path(os.path.expandvars(typed)).expanduser()
    except RuntimeError as error:
        raise argparse.ArgumentTypeError(f"{typed}: no such user; name a folder, e.g. outputs/digits_conv") from error
    if "$" in str(expanded) and not os.path.lexists(expanded):
        raise argparse.ArgumentTypeError(f"{typed}: no such variable; name a folder, e.g. outputs/digits_conv")
    return expanded
