"""Files that outlast a power cut: what is written is on the disk before anything says so.

A system keeps new data in memory for half a minute, and may put a file's new name on the disk before its content. So a
file is written beside its place, synced, renamed, and then the folder is synced, which holds the name.
"""

import errno
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from gradflow.errors import CannotWrite

_PART = ".part"  # the end of a hidden file's name while it is being written


@contextmanager
def replacing(path: Path, *, synced: bool = True) -> Iterator[BinaryIO]:
    """A file to write to; it takes the place of `path` when all is on the disk, and leaves no trace if that fails.

    At any moment, and after a power cut, `path` is the old file or the new one.

    Args:
        path: the file to replace; its folder is there.
        synced: whether to wait for the disk. Without, a power cut may leave it empty until `sync_tree` has been called.

    Raises:
        CannotWrite: if it cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}{_PART}")
    with naming(path):
        try:
            with part.open("wb") as file:
                yield file
                file.flush()
                if synced:
                    os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        if synced:
            sync(path.parent)


def remove_parts(folder: Path) -> None:
    """Remove what processes that were killed had half written; nobody may be writing to the folder."""
    for part in folder.glob(f".*{_PART}"):
        part.unlink()


def make_folder(folder: Path) -> None:
    """Create a folder, and its parents if need be, on the disk.

    Raises:
        CannotWrite: if it cannot be created.
    """
    missing = list(itertools.takewhile(lambda one: not one.exists(), (folder, *folder.parents)))
    with naming(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for one in missing:
            sync(one.parent)


def sync(path: Path) -> None:
    """Wait until a file's content, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL or not path.is_dir():  # some network file systems cannot sync a folder
            raise
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Wait until every file and folder below a folder is on the disk, content before names.

    Raises:
        CannotWrite: if one cannot be put there.
    """
    for place, _, names in os.walk(folder, topdown=False):
        for path in (*(Path(place, name) for name in names), Path(place)):
            if path.is_file() or path.is_dir():  # not what is gone meanwhile, nor a pipe
                with naming(path):
                    sync(path)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Say which file could not be written: the system's error about a full disk does not.

    Raises:
        CannotWrite: in the place of the system's error.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, CannotWrite) or error.errno is None:  # a timeout has no number
            raise
        raise CannotWrite(error.errno, error.strerror, str(path)) from error
