"""The console command: `gradflow key=value ...` trains as train.py does, `gradflow report FOLDER` and others show."""

import importlib
import os
import sys
from typing import Any

from gradflow import __version__, terminal
from gradflow.errors import nearest, shown

# Command -> the package whose `__main__` it is, and what that is told.
COMMANDS: dict[str, tuple[str, dict[str, Any]]] = {
    "status": ("study", {"command": "status"}),
    "average": ("study", {"command": "average"}),
    "compare": ("study", {"command": "compare"}),
    "report": ("study", {"command": "report"}),
    "study": ("study", {}),
    "tensorboard": ("tensorboard", {}),
    "advise": ("advise", {}),
    "evaluate": ("evaluate", {}),
    "lesson": ("lesson", {}),
    "reproductions": ("reproductions", {}),
}


def main() -> int:
    """Train, or run the command that the first word names; the exit status."""
    if os.getcwd() not in sys.path:  # noqa: PTH109 - as Python writes it
        sys.path.append(os.getcwd())  # noqa: PTH109 - classes of the user's own, as for `python -m`
    first = sys.argv[1] if len(sys.argv) > 1 else ""
    if first == "--version":
        print(f"gradflow {__version__}")
        return 0
    if not first or "=" in first or first.startswith(("-", "~")):
        from gradflow.sweep import cli  # needs Hydra, for which the other commands need not wait

        cli.main()
        return 0
    if first not in COMMANDS:
        remedy = nearest(first, COMMANDS) or f" (commands: {', '.join(COMMANDS)})"
        terminal.accept_every_character()
        terminal.complain(f"{shown(first)}: no such command{remedy}; settings are key=value")
        return 2
    package, options = COMMANDS[first]
    return importlib.import_module(f"gradflow.{package}.__main__").main(sys.argv[2:], **options)


if __name__ == "__main__":
    sys.exit(main())
