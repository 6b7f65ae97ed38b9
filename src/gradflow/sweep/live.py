"""The live display of a sweep on a terminal: one for all runs, whichever processes train them.

Outside terminals nothing is displayed, and every run says itself where it is.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from gradflow import terminal
from gradflow.sweep.progress import Standing, SweepProgress
from gradflow.sweep.standing_lines import lines
from gradflow.training.run import result
from gradflow.wrapping import Wrapped

if TYPE_CHECKING:
    from gradflow.sweep.plan import PlannedRun

LOOKS_EVERY_S = 0.5
_ECHO = 2  # columns for the ^C that a terminal writes at the cursor: on a new line it would tear the display
_SHARE = 0.05  # of the time that may be spent on looking, where there are thousands of runs or disks are slow


@contextmanager
def shown(runs: "Sequence[PlannedRun]", todo: "Sequence[PlannedRun]") -> Iterator[Path | None]:
    """Display how far the runs are, and print the result of each.

    Args:
        runs: all that the command asks for.
        todo: those that are to be trained.

    Yields:
        A file for what workers print, which would tear the display: it is printed above it. None without a display.
    """
    if not todo or not terminal.console.is_interactive:
        yield None
        return
    with TemporaryDirectory(prefix="gradflow-") as folder, terminal.followed():
        said = Path(folder, "said")
        said.touch()
        with _Display(SweepProgress(runs, todo), said):
            yield said


class _Standing:
    """What the display shows, made anew for each width."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from lines(self.standing, width=options.max_width - _ECHO, height=console.height)


class _Display:
    """Looks and draws in a thread of its own until the block is left, however that happens."""

    def __init__(self, progress: SweepProgress, said: Path) -> None:
        self._progress, self._said, self._position = progress, said, 0
        self._pause_s = LOOKS_EVERY_S
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="display", daemon=True)
        self._live = Live(console=terminal.console, auto_refresh=False, transient=True)

    def __enter__(self) -> None:
        self._live.start()
        # Visible all the time, so that a process that is killed leaves it as it was.
        terminal.console.show_cursor(True)
        self._thread.start()

    def __exit__(self, *exception: object) -> None:
        try:
            self._over.set()
            self._thread.join()
            self._look()
        finally:
            self._live.stop()

    def _follow(self) -> None:
        while not self._over.wait(self._pause_s):
            begun = time.monotonic()
            self._look()
            self._pause_s = max(LOOKS_EVERY_S, (time.monotonic() - begun) / _SHARE)

    def _look(self) -> None:
        standing = self._progress.look(time.monotonic())
        self._pass_on()
        for number, name, record in standing.ended:
            position = f"run {number} of {standing.of}: " if standing.of > 1 else ""
            terminal.say(f"{position}{', '.join(name)}: {result(record)}")
        self._live.update(_Standing(standing), refresh=True)

    def _pass_on(self) -> None:
        """Print the whole lines that workers have said meanwhile."""
        with self._said.open("rb") as file:
            file.seek(self._position)
            text, end, _ = file.read().rpartition(b"\n")
        self._position += len(text) + len(end)
        for one in text.decode(errors="replace").splitlines() if end else ():
            terminal.show(Wrapped(Text.from_ansi(one), hanging=2))


@contextmanager
def said_into(file: Path | None) -> Iterator[None]:
    """What this process prints, and whatever it calls, goes into a file; None leaves all as it is."""
    if file is None:
        yield
        return
    with _both_streams(lambda: os.open(file, os.O_WRONLY | os.O_APPEND)), terminal.followed():
        yield


@contextmanager
def _both_streams(opened: Callable[[], int]) -> Iterator[None]:
    """stdout and stderr are another file meanwhile, for libraries in C too."""
    sys.stdout.flush(), sys.stderr.flush()
    saved = {number: os.dup(number) for number in (1, 2)}
    descriptor = opened()
    try:
        for number in saved:
            os.dup2(descriptor, number)
        yield
    finally:
        sys.stdout.flush(), sys.stderr.flush()
        for number, before in saved.items():
            os.dup2(before, number)
            os.close(before)
        os.close(descriptor)
