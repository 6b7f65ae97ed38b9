"""What a configuration names but does not hold: the content of data files, and code of your own.

It counts as the configuration does: runs of different content are never runs of one configuration. What a file of code
imports is not followed, so a change in a module that your class imports is not seen.
"""

import ast
import hashlib
import inspect
import site
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from hydra.utils import get_object

import gradflow
from gradflow.data.archive import Archive, Unreadable
from gradflow.errors import ConfigError

TARGET = "_target_"
DATA = "data"
NO_PATHS = ("name", "task", "validation", "layout", TARGET)  # keys of a data set that hold words
NAMES = (f"{DATA}.dataset", f"{DATA}.split")  # likewise, of gradflow's own sources
_INSTALLED = [
    *(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    *map(Path, (*site.getsitepackages(), site.getusersitepackages())),
    Path(gradflow.__file__).parent,
]


def content(values: Mapping[str, Any]) -> dict[str, str]:
    """SHA-256 by key of all that the values name: files and folders of the group `data`, code of your own.

    Of an .npz file the arrays count, not how it is compressed; of a folder the relative paths and its files; of any
    other file the bytes. Of code behind a `_target_` the file that defines it counts, without comments, docstrings and
    layout. Your own is what is neither installed nor part of gradflow.

    Args:
        values: dotted keys with plain values, those that count.

    Raises:
        ConfigError: if a file cannot be read.
    """
    found = {}
    is_ours = str(values.get(f"{DATA}.source.{TARGET}")).startswith("gradflow.")
    for key, text in texts(values):
        if is_ours and key in NAMES:
            continue
        try:
            digest = _of_target(text) if key.split(".")[-1] == TARGET else _of_data(key, text)
        except OSError as error:
            raise ConfigError(f"{key}={text}: cannot be read ({error}); check the file's permissions") from error
        if digest is not None:
            found[key] = digest
    return found


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The keys whose content differs."""
    return sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))


def texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text with its dotted key; entries of a list are numbered."""
    if isinstance(value, str):
        yield key, value
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from texts(item, f"{key}.{name}" if key else str(name))


def _of_data(key: str, text: str) -> str | None:
    if not (text and key.startswith(f"{DATA}.")) or key.split(".")[-1] in NO_PATHS:
        return None
    try:
        path = Path(text).expanduser()
        kind = "folder" if path.is_dir() else "file" if path.is_file() else None
    except (OSError, RuntimeError):  # not a path: too long for one, or ~ without such a user
        return None
    return _of_folder(path) if kind == "folder" else _cached(path) if kind else None


def _of_target(target: str) -> str | None:
    """Of the file that defines a class or function of the user's own, or else the name by which it is called."""
    thing = inspect.unwrap(get_object(target))
    parts = target.split(".")
    named = next((name for n in range(len(parts), 0, -1) if (name := ".".join(parts[:n])) in sys.modules), "")
    for module in (getattr(thing, "__module__", None) or "", named):
        source = getattr(sys.modules.get(module), "__file__", None) or ""
        if source.endswith(".py") and _is_own(Path(source).resolve()):
            return _cached(Path(source), of_code=True)
    return None


@cache
def _is_own(file: Path) -> bool:
    return not any(file.is_relative_to(folder.resolve()) for folder in _INSTALLED)


def _cached(file: Path, *, of_code: bool = False) -> str:
    status = file.stat()
    return _of_file(file.resolve(), of_code, status.st_mtime_ns, status.st_size)


@cache
def _of_file(file: Path, of_code: bool, _modified_ns: int, _size: int) -> str:
    if of_code:
        return hashlib.sha256(repr(_meaning(ast.parse(file.read_bytes()))).encode()).hexdigest()
    if file.suffix == ".npz" and (of_arrays := _of_arrays(file)) is not None:
        return of_arrays
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _of_folder(folder: Path) -> str:
    """Over the relative path and the content of every file."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [f"{file.relative_to(folder).as_posix()}\0{_cached(file)}\n" for file in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _of_arrays(file: Path) -> str | None:
    """Over name, type, shape and bytes of every array; None if they cannot be read without running code."""
    whole = hashlib.sha256()
    try:
        with Archive(file) as archive:
            for name in sorted(archive.names):
                array = np.ascontiguousarray(archive.read(name))
                whole.update(f"{name}\0{array.dtype.str}\0{array.shape}\0".encode())
                whole.update(array.reshape(-1).view(np.uint8).data)
    except Unreadable:
        return None
    return whole.hexdigest()


def _meaning(node: Any) -> Any:
    """A syntax tree as nested tuples, without docstrings, and without empty fields, which each Python has others of."""
    if isinstance(node, list):
        return tuple(map(_meaning, node))
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = {name: value for name, value in ast.iter_fields(node) if value is not None and value != []}
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and _has_docstring(node):
        fields["body"] = node.body[1:]
    return type(node).__name__, *((name, _meaning(value)) for name, value in fields.items())


def _has_docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return ast.get_docstring(node, clean=False) is not None
