"""What the user sees: sentences, lines to copy, tables. Plain, and one line each, if the output is not a terminal.

On a terminal, however narrow, sentences are wrapped between words; paths, addresses and commands are never broken.
Whatever a name holds, only printable characters reach the screen; those that it cannot show take a form that it can.
"""

import codecs
import io
import logging
import shutil
import sys
import textwrap
import unicodedata
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.segment import Segment
from rich.text import Text

from gradflow.errors import one_line, printable
from gradflow.wrapping import Wrapped

PLAIN_WIDTH = 120  # columns, where there is no terminal to ask
# How the characters of sentences and tables are written where the encoding lacks them.
PLAIN = {
    "±": "+/-",
    "×": "x",  # noqa: RUF001
    "≤": "<=",
    "≥": ">=",
    "≈": "~",
    "→": "->",
    "√": "sqrt",
    "·": "*",
    "•": "*",
    "°": " deg",
    "µ": "u",
    "μ": "u",
    "“": '"',
    "”": '"',
    **dict.fromkeys("−–—─━═╌", "-"),  # noqa: RUF001
    **dict.fromkeys("│┃", "|"),
    **dict.fromkeys("’‘", "'"),  # noqa: RUF001
}


def plain(text: str) -> str:
    """The text in ASCII: `0.9 +/- 0.1` for `0.9 ± 0.1`."""
    return "".join(PLAIN.get(character) or _decomposed(character) for character in text)


def _decomposed(character: str) -> str:
    return unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode() or "?"


def _in_plain_characters(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return plain(error.object[error.start : error.end]), error.end


codecs.register_error("plain", _in_plain_characters)


class PrintableConsole(Console):
    """Lets no control character through, whatever it is part of."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Segments of text, of which only rich's own control codes move the cursor."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=printable(segment.text))


console = PrintableConsole(highlight=False)
if not console.is_terminal:
    console = PrintableConsole(highlight=False, width=PLAIN_WIDTH)

_QUIET = ("lightning", "lightning.pytorch", "lightning.fabric", "lightning_utilities", "torch.distributed")


class _ScreenHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(f"{record.levelname.lower()}: {record.getMessage()}", "yellow" if record.levelno < logging.ERROR else "red")


class _LogFile(logging.FileHandler):
    """Says once on the screen if lines cannot be written, instead of a traceback for each of them."""

    _said = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        if isinstance(error := sys.exception(), OSError):
            self._say(error)
        else:
            super().handleError(record)

    def close(self) -> None:
        try:
            super().close()
        except OSError as error:  # of lines that the buffer has kept
            self._say(error)

    def _say(self, error: OSError) -> None:
        if not self._said:
            self._said = True
            say(f"{self.baseFilename}: lines are missing ({str(error.strerror).lower()})", style="yellow")


def configure() -> None:
    """Send warnings to the screen, everything from INFO up to the run's log file. Calling it again changes nothing."""
    accept_every_character()
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    if not any(isinstance(handler, _ScreenHandler) for handler in root.handlers):
        handler = _ScreenHandler(level=logging.WARNING)
        root.addHandler(handler)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # It says what it raises too, which is told in one line.
    logging.getLogger("hydra.utils").setLevel(logging.CRITICAL)
    # It looks for CUDA whatever is being compiled, and warns if there is none.
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    # Lightning recommends loader workers and larger logging intervals; neither suits data held in memory.
    warnings.filterwarnings("ignore", module="lightning")


def accept_every_character() -> None:
    """Let nothing that is printed fail because the screen's encoding lacks a character."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="plain")


def log_to(file: Path) -> logging.FileHandler:
    """Append log records to a file until the handler is closed by `stop_logging`."""
    handler = _LogFile(file, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    return handler


def stop_logging(handler: logging.FileHandler) -> None:
    logging.getLogger().removeHandler(handler)
    handler.close()


_followed = False


@contextmanager
def followed() -> Iterator[None]:
    """While a live display shows what runs, these need not say themselves where they are."""
    global _followed
    before, _followed = _followed, True
    try:
        yield
    finally:
        _followed = before


def is_followed() -> bool:
    return _followed


def line(text: str, style: str = "") -> Text:
    """Text kept on one line however narrow the screen: a path or a command split across lines cannot be copied."""
    return Text(one_line(text), style=style, no_wrap=True, overflow="ignore")


def sentence(text: str, style: str = "") -> RenderableType:
    """Text that a terminal wraps between words, and no other output at all; a path in it stays whole."""
    return Wrapped(Text(one_line(text), style=style), hanging=2) if console.is_terminal else line(text, style)


def page(path: Path) -> Text:
    """The address of a page that was written, to click on; outside terminals, its path."""
    if not console.is_terminal:
        return line(str(path))
    address = path.absolute().as_uri()
    return line(address, style=f"link {address}")


def show(renderable: RenderableType) -> None:
    """Print a table without cutting off any of its lines."""
    console.print(Group(renderable), crop=False)  # a text on its own would lose its way of wrapping


def say(text: str, style: str = "") -> None:
    """Print a sentence."""
    show(sentence(text, style))


def say_whole(text: str | Text) -> None:
    """Print one line that is to be copied."""
    console.print(line(text) if isinstance(text, str) else text, soft_wrap=True)


def complain(message: object) -> None:
    """Print what was wrong with a command, on one line of stderr; a terminal's is wrapped between words."""
    text = f"gradflow: {one_line(' '.join(str(message).split()))}"
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns
        text = textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)
    print(text, file=sys.stderr)
