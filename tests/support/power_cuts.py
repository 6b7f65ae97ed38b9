"""What a power cut would leave of a folder, at every moment of what a test does.

What counts is on the disk: a file's content when it was last synced, a folder's names when it was last synced. Systems
may also put names there earlier, so each moment has two outcomes.
"""

import errno
import fcntl
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

Tree = dict[str, "bytes | Tree"]  # name -> content of a file, or what a folder holds
CHANGES = ("fsync", "replace", "rename", "truncate", "unlink")


class Disk:
    """Records what has been synced below a folder, and calls `at` with both outcomes after each change.

    Args:
        root: the folder, empty so far.
        at: takes the tree with the names that were synced, or with today's; content as synced in both.
    """

    def __init__(self, root: Path, at: Callable[[Tree, Tree], None]) -> None:
        self._root, self._at = root, at
        self._contents: dict[int, bytes] = {}  # by inode
        self._names: dict[int, dict[str, int]] = {}
        self._kinds: dict[int, bool] = {}  # whether it is a folder
        self._held: list[int] = []  # descriptors that keep inodes from being used again

    def synced(self, descriptor: int) -> None:
        path = path_of(descriptor)
        if not path.is_relative_to(self._root):
            return
        found = os.fstat(descriptor)
        self._held.append(os.dup(descriptor))
        if stat.S_ISDIR(found.st_mode):
            self._names[found.st_ino] = {one.name: one.stat().st_ino for one in path.iterdir()}
            self._kinds |= {one.stat().st_ino: one.is_dir() for one in path.iterdir()}
        else:
            self._contents[found.st_ino] = path.read_bytes()

    def changed(self) -> None:
        self._at(self._as_synced(self._root.stat().st_ino), self._as_named(self._root))

    def close(self) -> None:
        for descriptor in self._held:
            os.close(descriptor)

    def _as_synced(self, folder: int) -> Tree:
        return {
            name: self._as_synced(inode) if self._kinds[inode] else self._contents.get(inode, b"")
            for name, inode in self._names.get(folder, {}).items()
        }

    def _as_named(self, folder: Path) -> Tree:
        return {
            one.name: self._as_named(one) if one.is_dir() else self._contents.get(one.stat().st_ino, b"")
            for one in folder.iterdir()
        }


def path_of(descriptor: int) -> Path:
    """Where an open file or folder is."""
    if sys.platform == "darwin":
        return Path(os.fsdecode(fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(1024)).rstrip(b"\0")))
    return Path(f"/proc/self/fd/{descriptor}").readlink()


@contextmanager
def recorded(root: Path, at: Callable[[Tree, Tree], None]) -> Iterator[None]:
    """Call `at` after each change to a folder, as `Disk` says."""
    disk = Disk(root, at)
    looking = False

    def watched(change: str, real: Callable) -> Callable:
        def made(*arguments, **options):
            nonlocal looking
            result = real(*arguments, **options)
            if not looking:  # `at` may change files of its own
                looking = True
                if change == "fsync":
                    disk.synced(arguments[0])
                disk.changed()
                looking = False
            return result

        return made

    with pytest.MonkeyPatch.context() as patch:
        for change in CHANGES:
            patch.setattr(os, change, watched(change, getattr(os, change)))
        try:
            yield
        finally:
            disk.close()


def written(tree: Tree, place: Path) -> Path:
    """The tree as files."""
    place.mkdir(parents=True)
    for name, content in tree.items():
        if isinstance(content, bytes):
            (place / name).write_bytes(content)
        else:
            written(content, place / name)
    return place


@contextmanager
def full_disk(name: str, *, after: int = 0) -> Iterator[None]:
    """No space is left for files whose path contains a name, once so many of them have been put on the disk."""
    sync, seen = os.fsync, 0

    def fsync(descriptor: int) -> None:
        nonlocal seen
        if name in str(path_of(descriptor)):
            seen += 1
            if seen > after:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        yield
