"""Your own arrays from an .npz file in Keras's layout: x_train, y_train, x_test, y_test, perhaps x_val, y_val.

Every fault in the file is a ConfigError that names the file, the array and the remedy.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np

from gradflow.data.archive import Archive, Unreadable
from gradflow.data.arrays import Arrays
from gradflow.data.own_arrays import Fault, check_task, checked
from gradflow.errors import ConfigError, nearest

KEYS = ("x_train", "y_train", "x_test", "y_test")
VALIDATION_KEYS = ("x_val", "y_val")
LAYOUT = f"np.savez(FILE, {', '.join(f'{key}=...' for key in KEYS)})"


def find(path: str) -> Path:
    """The file, with ~ expanded.

    Raises:
        ConfigError: if there is no such file.
    """
    try:
        file = Path(path).expanduser()
        is_there = file.is_file()
    except (OSError, RuntimeError, ValueError) as error:  # too long for a path, ~ without such a user, a null byte
        _refuse(path, f"no path of a file ({error}); give the path of an .npz file")
    if not is_there:
        _refuse(path, "there is no such file; give the path of an .npz file")
    return file


def load(path: str, *, task: str, layout: str | None = None) -> Arrays:
    """Read and check an .npz file.

    Args:
        path: the file; for its arrays see `gradflow.data.own_arrays.checked`.
        task: classification, binary, regression or multilabel.
        layout: which axis of images has the channels, `NHWC` or `NCHW`; None: as their shape tells.

    Raises:
        ConfigError: if anything is wrong with the file.
    """
    check_task(task)
    found = _read(path)
    try:
        return checked(found, task=task, layout=layout)
    except Fault as fault:
        _refuse(path, str(fault))


def _refuse(path: str, reason: str) -> NoReturn:
    raise ConfigError(f"data.path={path}: {reason}")


def _read(path: str) -> dict[str, np.ndarray]:
    try:
        with Archive(Path(path)) as archive:
            _check_names(path, archive.names)
            return {key: archive.read(key) for key in archive.names}
    except Unreadable as fault:
        _refuse(path, f"{fault}; write it with {LAYOUT}")


def _check_names(path: str, names: Sequence[str]) -> None:
    if missing := [key for key in KEYS if key not in names]:
        _refuse(path, f"it has no {', '.join(missing)} (only {', '.join(names)}); write it with {LAYOUT}")
    if unknown := [key for key in names if key not in (*KEYS, *VALIDATION_KEYS)]:
        hint = nearest(unknown[0], VALIDATION_KEYS)
        _refuse(path, f"it also holds {', '.join(unknown)}, which nothing uses{hint}; leave that out of the file")
    if len(single := [key for key in VALIDATION_KEYS if key in names]) == 1:
        _refuse(path, f"it holds {single[0]} alone; store both {' and '.join(VALIDATION_KEYS)}, or neither")
