"""Where the options of the configuration groups are: in the package, and in a folder `conf` where the user stands."""

import filecmp
from pathlib import Path

from gradflow import CONF
from gradflow.errors import printable

NAME = "conf"
NAMED_AT_MOST = 3  # clashes in a message


def own() -> Path | None:
    """The folder `conf` in the working directory; None if there is none, or if it is the package's."""
    folder = Path.cwd() / NAME
    return folder if folder.is_dir() and folder.resolve() != CONF else None


def folders() -> list[Path]:
    """The package's folder, then the user's."""
    return [folder for folder in (CONF, own()) if folder is not None]


def clashes() -> str | None:
    """The user's files whose names the package has taken, so that they are not used, in one line; None without any."""
    if (folder := own()) is None:
        return None
    files = sorted(file.relative_to(folder) for file in folder.rglob("*.yaml"))
    taken = [f"{NAME}/{file}" for file in files if _differs(CONF / file, folder / file)]
    if not taken:
        return None
    more = len(taken) - NAMED_AT_MOST
    which = ", ".join(taken[:NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
    return printable(f"{which}: not used, as gradflow has options of the same name; give yours another name")


def _differs(ours: Path, other: Path) -> bool:
    """Whether there are both and something else stands in the other; a checkout, say, has the same."""
    return ours.is_file() and not filecmp.cmp(ours, other, shallow=False)
