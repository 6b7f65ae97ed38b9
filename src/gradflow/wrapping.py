"""Text for screens of any width: wrapped at spaces alone, so that no word, number or path is ever broken."""

import re
from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

_NO_BREAK = "\N{NO-BREAK SPACE}"
_WORD = re.compile(r"[^ ]+ *")  # a no-break space holds together what it joins


class Wrapped:
    """A paragraph. A word that is wider than the screen stands whole on a line of its own.

    Args:
        text: one paragraph; spaces at its beginning indent all of it.
        hanging: by how much further all lines but the first are indented.
    """

    def __init__(self, text: Text | str, *, hanging: int = 0) -> None:
        self._text = Text(text) if isinstance(text, str) else text
        self._hanging = hanging

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        plain = self._text.plain
        indent = len(plain) - len(plain.lstrip(" "))
        first, *others = wrapped(self._text, options.max_width, indent=indent + self._hanging)
        yield _whole(first)
        for other in others:
            yield _whole(Text(" " * (indent + self._hanging)) + other)


def wrapped(text: Text, width: int, *, indent: int = 0) -> list[Text]:
    """The lines of a paragraph, at least one.

    Args:
        width: of the screen, in columns.
        indent: of all lines but the first, which is not put before them.
    """
    plain, breaks, begin = text.plain, list[int](), 0
    for word in _WORD.finditer(plain):
        room = width - (indent if breaks else 0)
        if plain[begin : word.start()].strip(" ") and cell_len(plain[begin : word.end()].rstrip(" ")) > room:
            breaks.append(begin := word.start())
    lines = list(text.divide(breaks))
    for line in lines:
        line.rstrip()
    return lines


def packed(items: Sequence[Text], width: int) -> list[Text]:
    """Lines of items with `; ` between them, as many a line as fit."""
    lines: list[Text] = []
    for item in items:
        joined = Text("; ").join([lines[-1], item]) if lines else item
        if lines and joined.cell_len <= width:
            lines[-1] = joined
        else:
            lines.append(item)
    return lines


def unbroken(text: Text) -> Text:
    """The same text as one word."""
    text.plain = text.plain.replace(" ", _NO_BREAK)
    return text


def _whole(line: Text) -> Text:
    line.plain = line.plain.replace(_NO_BREAK, " ")  # what is copied has ordinary spaces
    line.no_wrap, line.overflow = True, "ignore"
    return line
