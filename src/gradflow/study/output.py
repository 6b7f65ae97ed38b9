"""Where averages and reports are written: one writer at a time, beside the runs or in another folder."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from gradflow.errors import ConfigError
from gradflow.runs import folders

_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def writing_to(place: Path) -> Iterator[None]:
    """Hold a study's folder, or the one that stands in for it, while something in it is replaced.

    Raises:
        ConfigError: if it may not be written to.
    """
    try:
        place.mkdir(parents=True, exist_ok=True)
        with FileLock(place / folders.LOCK_FILE):
            yield
    except OSError as error:
        if error.errno not in _NOT_WRITABLE:
            raise
        raise ConfigError(
            f"{place}: may not be written to; name a folder for averages and report, e.g. --output my_{place.name}"
        ) from error
