"""How gradflow was started, and so how the commands that its messages name are typed."""

import os
import shlex
import sys
from pathlib import Path

from gradflow import CONF

COMMAND = "GRADFLOW_COMMAND"  # environment variable: the command as it was typed, for whichever process trains
PROGRAM = "GRADFLOW_PROGRAM"  # environment variable: how the command that trains is typed, for its --help
NAME = "gradflow"  # of the console command and the package
SCRIPT = "train.py"  # beside conf/ in a checkout


def train(*words: str) -> str:
    """The command that trains, e.g. `gradflow --help`, or in a checkout `python train.py --help`."""
    return shlex.join([*_training_program(), *words])


def tool(name: str, *words: str) -> str:
    """A command on what was trained, e.g. `gradflow advise STUDY`, or in a checkout `python -m gradflow.advise STUDY`.

    Args:
        name: of the package whose `__main__` it is.
        words: its arguments.
    """
    program = _program()
    return shlex.join([*program, name, *words] if program else [interpreter(), "-m", f"{NAME}.{name}", *words])


def typed() -> list[str]:
    """The words that the user typed after the command."""
    return (shlex.split(os.environ.get(COMMAND, "")) or sys.argv)[1:]


def is_training(command: str) -> bool:
    """Whether a text begins as `train` does."""
    return command.startswith(f"{train()} ")


def interpreter() -> str:
    """The Python that runs this, as it is typed: `.venv/bin/python` below the working directory, elsewhere `python`."""
    return _as_typed(Path(sys.executable), "python")


def _training_program() -> list[str]:
    return _program() or [interpreter(), SCRIPT]


def _program() -> list[str]:
    """The console command or `python -m gradflow`; empty if train.py or a package's `__main__` of a checkout runs."""
    typed = shlex.split(os.environ.get(COMMAND, "")) or sys.argv
    started = Path(typed[0])
    if started.parts[-2:] == (NAME, "__main__.py"):
        return [interpreter(), "-m", NAME]
    if started.name == NAME or not (CONF.parent / SCRIPT).is_file():
        return [_as_typed(Path(sys.executable).with_name(NAME), NAME)]
    return []


def _as_typed(program: Path, name: str) -> str:
    here = Path.cwd()
    return str(program.relative_to(here)) if program.is_relative_to(here) else name
