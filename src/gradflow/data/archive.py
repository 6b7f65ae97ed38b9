"""The arrays of an .npz file, whoever wrote it and however damaged it is: NumPy believes what such a file says."""

import contextlib
import math
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Self

import numpy as np
from numpy.lib import format as npy

_SUFFIX = ".npy"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # NumPy's; others ask for gigabytes before the first byte
_ENCRYPTED = 0x1  # bit of a member's flags
_HEADERS: dict[tuple[int, int], Callable] = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
# What reading a damaged archive raises.
_FAULTS = (
    *(ValueError, OSError, EOFError, MemoryError, NotImplementedError, RuntimeError, TypeError),
    *(LookupError, SyntaxError, tokenize.TokenError, zipfile.BadZipFile, zlib.error, struct.error),
)


class Unreadable(ValueError):
    """What is wrong with the file, or with the array that it names."""


class Archive:
    """An open .npz file; use it in a `with` statement.

    Args:
        path: the file.

    Attributes:
        names: of its arrays, in the file's order.

    Raises:
        Unreadable: if it is no .npz file, or holds more than this machine's memory.
    """

    def __init__(self, path: Path) -> None:
        with contextlib.ExitStack() as opened:
            file = opened.enter_context(path.open("rb"))
            if file.read(len(npy.MAGIC_PREFIX)) == npy.MAGIC_PREFIX:
                raise Unreadable("a single array, not an .npz file")
            try:
                self._archive = opened.enter_context(zipfile.ZipFile(file))
            except _FAULTS as error:
                raise Unreadable("not an .npz file, or a damaged one") from error
            self._members = _members(self._archive.infolist())
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    @property
    def names(self) -> list[str]:
        return list(self._members)

    def read(self, name: str) -> np.ndarray:
        """One array.

        Raises:
            Unreadable: if it is damaged, or holds Python objects, whose pickles could run code.
        """
        member = self._members[name]
        if member.flag_bits & _ENCRYPTED:
            raise Unreadable(f"{name} is encrypted; store it without a password")
        if member.compress_type not in _METHODS:
            raise Unreadable(f"{name} is compressed as NumPy does not")
        if not member.filename.endswith(_SUFFIX):
            raise Unreadable(f"{name} is no array")
        try:
            with self._archive.open(member) as opened:
                holds_objects = _check_header(opened, member.file_size)
            if holds_objects:
                raise Unreadable(f"{name} holds Python objects; store it as an array of numbers")
            with self._archive.open(member) as opened:
                return npy.read_array(opened, allow_pickle=False)
        except Unreadable:
            raise
        except _FAULTS as error:
            raise Unreadable(f"{name} is damaged") from error


def memory() -> float:
    """This machine's memory in bytes; infinite where the system does not say."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else math.inf


def _members(infos: Sequence[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    members = {info.filename.removesuffix(_SUFFIX): info for info in infos}
    if len(members) < len(infos):
        raise Unreadable("it holds two arrays of one name")
    if (size := sum(info.file_size for info in infos)) > memory():
        raise Unreadable(f"it holds {size / 1e9:,.0f} GB, and this machine has {memory() / 1e9:,.0f} GB of memory")
    return members


def _check_header(file: IO[bytes], size: int) -> bool:
    """Whether the array holds Python objects; a header that promises more or less than there is would be believed."""
    shape, _, dtype = _HEADERS[npy.read_magic(file)](file)
    if not dtype.hasobject and (min(shape, default=0) < 0 or file.tell() + math.prod(shape) * dtype.itemsize != size):
        raise ValueError(f"{shape} of {dtype} are not {size} bytes")
    return dtype.hasobject
