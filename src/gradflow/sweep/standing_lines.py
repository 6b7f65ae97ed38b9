"""The lines of the live display, for any width: columns are left out where they do not fit, never letters."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.console import RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gradflow.runs.progress import Progress
from gradflow.sweep.progress import Running, Standing
from gradflow.sweep.time_left import in_words

_MOST_RUNS = 8  # shown one by one
_LEAST_BAR, _LONGEST_BAR = 10, 40  # columns
_GAP = 2


def lines(standing: Standing, *, width: int, height: int) -> Iterator[RenderableType]:
    """What a screen of this many columns and lines has room for: the sweep, then each run that is being trained."""
    left = "" if standing.seconds_left is None else in_words(standing.seconds_left)
    if standing.of == 1:
        progress = standing.running[0].progress if standing.running else None
        yield _with_bar(_epoch(progress), standing.share, [_score(progress), left], width)
        return
    failed = f", {standing.failed} failed" if standing.failed else ""
    yield _with_bar(f"{standing.over} of {standing.of} runs{failed}", standing.share, [left], width)
    if not standing.running and not standing.over:
        yield Text("  waiting for the first run to start", "dim")
    room = max(1, min(_MOST_RUNS, height - 3))
    yield from _rows(standing.running[:room], width)
    if (more := len(standing.running) - room) > 0:
        yield Text(f"  and {more} more", "dim")


def _with_bar(text: str, share: float, others: Sequence[str], width: int) -> RenderableType:
    """`3 of 6 runs ━━━━━━━━━  about 2 min left`: a bar if there is room, and as many of the others as there is."""
    shown, room = [text], width - cell_len(text)
    for other in reversed([one for one in others if one]):  # the last is the most important
        if cell_len(other) + _GAP <= room:
            shown.insert(1, other)
            room -= cell_len(other) + _GAP
    table = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
    cells: list[RenderableType] = [Text(one, no_wrap=True, overflow="ignore") for one in shown]
    if room >= _LEAST_BAR + _GAP:
        cells.insert(1, ProgressBar(total=1.0, completed=share, width=min(_LONGEST_BAR, room - _GAP)))
    table.add_row(*cells)
    return table


def _rows(running: Sequence[Running], width: int) -> Iterator[RenderableType]:
    """One line for each run: number, name, epoch, score; columns that do not fit are left out from the right."""
    rows = [[f"  run {one.number}", ", ".join(one.name), _epoch(one.progress), _score(one.progress)] for one in running]
    widths = [max((cell_len(row[column]) for row in rows), default=0) for column in range(4)]
    columns = 4
    while columns > 2 and sum(widths[:columns]) + _GAP * (columns - 1) > width:
        columns -= 1
    for row, one in zip(rows, running, strict=True):
        if columns == 2:
            row[1] = _shortened(one.name, width - widths[0] - _GAP)
        padded = [cell + " " * (size - cell_len(cell)) for cell, size in zip(row, widths, strict=True)][:columns]
        yield Text((" " * _GAP).join(padded).rstrip(), no_wrap=True, overflow="ignore")


def _shortened(name: Sequence[str], width: int) -> str:
    """As many parts of a name as fit, at least one."""
    parts = list(name)
    while len(parts) > 1 and cell_len(", ".join(parts)) > width:
        parts.pop()
    return ", ".join(parts)


def _epoch(progress: Progress | None) -> str:
    """`epoch 2 of 10`: the one that is being trained."""
    if progress is None:
        return "starting"
    epoch = int(progress.epoch) + 1
    return f"epoch {epoch}" if progress.epochs is None else f"epoch {min(epoch, progress.epochs)} of {progress.epochs}"


def _score(progress: Progress | None) -> str:
    return progress.score if progress else ""
