"""What a person sees: lines, one progress bar, tables. Quiet and plain where the output is not a terminal."""

import logging
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


def configure() -> None:
    """Warnings go to the screen, everything from INFO on to the run's log file; calling it again changes nothing."""
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    if not any(isinstance(handler, _ScreenHandler) for handler in root.handlers):
        handler = _ScreenHandler(level=logging.WARNING)
        root.addHandler(handler)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # It looks for CUDA whatever is compiled, and warns where there is none.
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)
    # Lightning recommends loader workers and larger logging intervals; neither fits data that is in memory.
    warnings.filterwarnings("ignore", module="lightning")


def log_to(file: Path) -> logging.FileHandler:
    """Append log records to a file until the handler is closed by `stop_logging`."""
    handler = logging.FileHandler(file)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    return handler


def stop_logging(handler: logging.FileHandler) -> None:
    logging.getLogger().removeHandler(handler)
    handler.close()


def line(text: str, style: str = "") -> Text:
    """Text that is one line however narrow the screen: a path or an error that is broken cannot be copied."""
    return Text(text, style=style, no_wrap=True, overflow="ignore")


def show(renderable: RenderableType) -> None:
    """A table with its lines, none of them cut off."""
    console.print(renderable, crop=False)


def say(text: str, style: str = "") -> None:
    """One line on the screen."""
    console.print(line(text, style), soft_wrap=True)
