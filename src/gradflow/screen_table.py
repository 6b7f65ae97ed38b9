"""Tables that fit any screen: one that is too wide is turned, split or listed, and no word or number is broken."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from gradflow.wrapping import Wrapped, packed, unbroken

_FRAME = 3  # columns of the screen that a cell's padding and one line take; the last cell has one line more
_INDENT = 2  # of a list


@dataclass(frozen=True)
class Column:
    """One column of a table, whose header may always be wrapped between words.

    Attributes:
        wraps: whether its cells may be, too.
        is_number: whether its cells are set to the right.
    """

    header: str
    wraps: bool = False
    is_number: bool = False


@dataclass(frozen=True)
class ScreenTable:
    """A table whose form depends on the width of the screen: a table where it fits, otherwise a list of each row.

    Attributes:
        columns: the first `leading` say what a row is about; the rest of a list stands below them.
        rows: one text for each column.
        is_matrix: whether all cells but the first of a row are of one kind. Then a wide table is turned or, if that
            does not help, split into several below each other.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Text]]
    leading: int = 1
    is_matrix: bool = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width
        every = list(range(len(self.columns)))
        if self._least(every) <= width:
            yield self._table(every, width)
        elif self.is_matrix and (turned := self._turned())._least(range(len(self.rows) + 1)) <= width:
            yield turned._table(range(len(self.rows) + 1), width)
        elif self.is_matrix and all(self._least(group) <= width for group in self._groups(width)):
            for group in self._groups(width):
                yield self._table(group, width)
        else:
            yield from self._lists(width)

    def _turned(self) -> "ScreenTable":
        """Columns as rows."""
        columns = [Column(""), *(Column(row[0].plain, is_number=True) for row in self.rows)]
        rows = [[Text(c.header), *(row[at] for row in self.rows)] for at, c in enumerate(self.columns) if at > 0]
        return ScreenTable(columns, rows)

    def _groups(self, width: int) -> list[list[int]]:
        """The first column with as many of the others as fit, at least one, again and again."""
        groups = [[0]]
        for column in range(1, len(self.columns)):
            if len(groups[-1]) > 1 and self._least([*groups[-1], column]) > width:
                groups.append([0])
            groups[-1].append(column)
        return groups

    def _least(self, columns: Sequence[int]) -> int:
        return sum(self._limits(column)[0] + _FRAME for column in columns) + 1

    def _limits(self, column: int) -> tuple[int, int]:
        """The least and the usual width of a column."""
        what, cells = self.columns[column], [row[column] for row in self.rows]
        header = Text(what.header)
        lines = [line for cell in cells for line in cell.split("\n", allow_blank=True)]
        parts = [header, *cells] if what.wraps else [header]
        words = [Text(word) for part in parts for word in part.plain.split()]
        least = max((part.cell_len for part in (words if what.wraps else [*words, *lines])), default=0)
        return least, max(part.cell_len for part in (header, *lines))

    def _table(self, columns: Sequence[int], width: int) -> Table:
        """A table of some columns; what room there is goes to those that would be wrapped, from the left."""
        spare = width - self._least(columns)
        table = Table()
        for column in columns:
            least, usual = self._limits(column)
            taken = min(usual - least, spare)
            spare -= taken
            what = self.columns[column]
            table.add_column(Text(what.header), justify="right" if what.is_number else "left", width=least + taken)
        for row in self.rows:
            table.add_row(*(row[column] for column in columns))
        return table

    def _lists(self, width: int) -> Iterator[Wrapped]:
        """Each row's leading cells, and below them its other cells that are not empty, each with its header."""
        for row in self.rows:
            yield Wrapped(Text(", ").join(cell for cell in row[: self.leading] if cell.plain.strip()), hanging=4)
            pairs = zip(self.columns[self.leading :], row[self.leading :], strict=True)
            items = [_item(column, cell) for column, cell in pairs if cell.plain.strip()]
            for line in packed(items, width - _INDENT):
                yield Wrapped(Text(" " * _INDENT) + line, hanging=_INDENT)


def _item(column: Column, cell: Text) -> Text:
    """`blocks=4: 0.981 ± 0.007`, with the cell's further lines after commas."""
    lines = list(cell.split("\n"))
    for line in lines:
        line.rstrip()
        if not column.wraps:
            unbroken(line)
    return Text.assemble(f"{column.header}: " if column.header else "", Text(", ").join(lines))
