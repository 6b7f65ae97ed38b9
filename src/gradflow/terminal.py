"""What the user sees: lines, one progress bar, tables. Quiet and plain if the output is not a terminal."""

import logging
import sys
import warnings
from pathlib import Path

from rich.console import Console, RenderableType
from rich.text import Text

PLAIN_WIDTH = 120  # columns, where there is no terminal to ask

console = Console(highlight=False)
if not console.is_terminal:
    console = Console(highlight=False, width=PLAIN_WIDTH)

_QUIET = ("lightning", "lightning.pytorch", "lightning.fabric", "lightning_utilities", "torch.distributed")


class _ScreenHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        text = f"{record.levelname.lower()}: {record.getMessage()}"
        console.print(Text(text, style="yellow" if record.levelno < logging.ERROR else "red"), soft_wrap=True)


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
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    if not any(isinstance(handler, _ScreenHandler) for handler in root.handlers):
        handler = _ScreenHandler(level=logging.WARNING)
        root.addHandler(handler)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # It looks for CUDA whatever is being compiled, and warns if there is none.
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    # Lightning recommends loader workers and larger logging intervals; neither suits data held in memory.
    warnings.filterwarnings("ignore", module="lightning")


def log_to(file: Path) -> logging.FileHandler:
    """Append log records to a file until the handler is closed by `stop_logging`."""
    handler = _LogFile(file)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    return handler


def stop_logging(handler: logging.FileHandler) -> None:
    logging.getLogger().removeHandler(handler)
    handler.close()


def line(text: str, style: str = "") -> Text:
    """Text kept on one line however narrow the screen: a path or an error split across lines cannot be copied."""
    return Text(text, style=style, no_wrap=True, overflow="ignore")


def show(renderable: RenderableType) -> None:
    """Print a table without cutting off any of its lines."""
    console.print(renderable, crop=False)


def say(text: str, style: str = "") -> None:
    """Print one line."""
    console.print(line(text, style), soft_wrap=True)
