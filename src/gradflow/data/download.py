"""Torchvision's data sets, downloaded on first use by one process at a time."""

import tarfile
import zlib
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any

import torchvision
from filelock import FileLock

from gradflow.errors import ConfigError

# What torchvision raises for files that are absent, damaged or half written, and for downloads that fail.
_FAILURES = (
    ImportError,
    RuntimeError,
    AssertionError,
    ValueError,
    OSError,
    EOFError,
    HTTPException,
    zlib.error,
    tarfile.TarError,
)


def torchvision_parts(
    class_name: str,
    data_dir: str,
    parts: Sequence[Mapping[str, Any]],
    *,
    option: str,
    lock: str,
    remedy: str = "put the files that torchvision asks for into {root}",
) -> list[Any]:
    """Parts of a torchvision data set; torchvision verifies the checksums of what it downloads.

    Args:
        class_name: the class in `torchvision.datasets`.
        data_dir: torchvision's root folder; ~ is expanded.
        parts: the arguments that ask for each part.
        option: the name of the data set on the command line, for the message.
        lock: the name of what one process downloads at a time.
        remedy: which files belong where, for the message; {root} stands for the root folder.

    Raises:
        ConfigError: if the files are missing and cannot be downloaded.
    """
    root = Path(data_dir).expanduser()
    try:
        return _parts(class_name, root, parts, download=False)
    except _FAILURES:  # missing, or still being written by another process: wait for the lock, then look again
        pass
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f".{lock}.lock"):
            return _parts(class_name, root, parts, download=True)
    except _FAILURES as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ConfigError(
            f"data={option}: cannot read or download it ({reason}); {remedy.format(root=root)}, or name the folder "
            "that has them with data_dir=DIR"
        ) from error


def torchvision_dataset(
    class_name: str, data_dir: str, *, option: str, folder: str, files: tuple[str, ...]
) -> tuple[Any, Any]:
    """Training and test part of a torchvision data set with the argument `train`; see `torchvision_parts`.

    Args:
        class_name: the class in `torchvision.datasets`.
        data_dir: torchvision's root folder; ~ is expanded.
        option: the name of the data set on the command line, for the message.
        folder: where below the root the files belong, for the message.
        files: what belongs there, for the message.
    """
    where = Path("{root}", folder)
    remedy = f"put {', '.join(files)} into {where}"
    parts = [{"train": True}, {"train": False}]
    train, test = torchvision_parts(class_name, data_dir, parts, option=option, lock=option, remedy=remedy)
    return train, test


def _parts(class_name: str, root: Path, parts: Sequence[Mapping[str, Any]], *, download: bool) -> list[Any]:
    dataset = getattr(torchvision.datasets, class_name)
    return [dataset(root, **asked, download=download) for asked in parts]
