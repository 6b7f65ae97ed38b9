"""Torchvision's data sets, downloaded on first use by one process at a time."""

import tarfile
import zlib
from http.client import HTTPException
from pathlib import Path
from typing import Any

import torchvision
from filelock import FileLock

from gradflow.errors import ConfigError

# What torchvision raises for files that are absent, damaged or half written, and for downloads that fail.
_FAILURES = (RuntimeError, AssertionError, ValueError, OSError, EOFError, HTTPException, zlib.error, tarfile.TarError)


def torchvision_dataset(
    class_name: str, data_dir: str, *, option: str, folder: str, files: tuple[str, ...]
) -> tuple[Any, Any]:
    """Training and test parts of a torchvision data set; torchvision verifies the checksums of what it downloads.

    Args:
        class_name: the class in `torchvision.datasets`.
        data_dir: torchvision's root folder; ~ is expanded.
        option: the name of the data set on the command line, for the message.
        folder: where below the root the files belong, for the message.
        files: what belongs there, for the message.

    Raises:
        ConfigError: if the files are missing and cannot be downloaded; it says which ones to put where.
    """
    root = Path(data_dir).expanduser()
    try:
        return _parts(class_name, root, download=False)
    except _FAILURES:  # missing, or still being written by another process: wait for the lock, then look again
        pass
    try:
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f".{option}.lock"):
            return _parts(class_name, root, download=True)
    except _FAILURES as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ConfigError(
            f"data={option}: cannot read or download it ({reason}); put {', '.join(files)} into {root / folder}, "
            f"or name the folder that has them with data_dir=DIR"
        ) from error


def _parts(class_name: str, root: Path, *, download: bool) -> tuple[Any, Any]:
    dataset = getattr(torchvision.datasets, class_name)
    return dataset(root, train=True, download=download), dataset(root, train=False, download=download)
