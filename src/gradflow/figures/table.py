"""A table of text, for a page and as Markdown."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gradflow.errors import printable


@dataclass(frozen=True)
class Table:
    """Text in cells, with a caption; `tags` are the names behind the headers' words, by header."""

    caption: str
    headers: list[str]
    rows: list[list[str]]
    tags: Mapping[str, str] = field(default_factory=dict)


def markdown(table: Table) -> str:
    """A GitHub table below its caption; bars and backslashes of the data are escaped."""
    lines = [table.headers, ["---"] * len(table.headers), *table.rows]
    body = "\n".join(f"| {' | '.join(map(_markdown_text, line))} |" for line in lines)
    return f"{_markdown_text(table.caption)}\n\n{body}\n"


def _markdown_text(text: str) -> str:
    for special in "\\|<>`*_[]":
        text = text.replace(special, f"\\{special}")
    return " ".join(printable(text).split()) if text != "---" else text


def without_column(table: Table, column: int) -> Table:
    lines = [[cell for i, cell in enumerate(line) if i != column] for line in (table.headers, *table.rows)]
    return replace(table, headers=lines[0], rows=lines[1:])
