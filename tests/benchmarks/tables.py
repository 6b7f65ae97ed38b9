"""Tables in Markdown, kept in outputs/bench."""

from collections.abc import Sequence
from pathlib import Path

FOLDER = Path("outputs/bench")


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; every row has as many cells as the header."""
    assert all(len(row) == len(header) for row in rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows))


def write(name: str, text: str) -> None:
    """Write a text to `<name>.md`."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.md").write_text(text + "\n")


def publish(name: str, text: str) -> None:
    """Write a text and print it."""
    write(name, text)
    print(text, flush=True)
