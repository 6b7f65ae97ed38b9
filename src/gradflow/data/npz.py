"""Your own arrays from an .npz file in Keras's layout: x_train, y_train, x_test, y_test, perhaps x_val, y_val.

Every fault in the file is a ConfigError that names the file, the array and the remedy.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np

from gradflow.data.archive import Archive, Unreadable
from gradflow.data.arrays import TASKS, Arrays, numbering_fault
from gradflow.errors import ConfigError, nearest

KEYS = ("x_train", "y_train", "x_test", "y_test")
VALIDATION_KEYS = ("x_val", "y_val")
PARTS = ("train", "val", "test")  # the order of the rows
CHANNELS = (1, 3, 4)  # grey, colour, colour with transparency
PIXEL_MAX = 255
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


def load(path: str, *, task: str) -> Arrays:
    """Read and check an .npz file.

    Args:
        path: the file. x is uint8 images, shape (N, H, W), (N, H, W, C) or (N, C, H, W) with C in 1, 3, 4, the same
            in floats (used unchanged), or tables, shape (N, F), of numbers of any type. y has shape (N,) or (N, 1):
            integer class numbers from 0 for classification, 0 or 1 for binary, any finite numbers for regression.
        task: classification, binary or regression.

    Raises:
        ConfigError: if anything is wrong with the file.
    """
    if task not in TASKS:
        raise ConfigError(f"data.task={task}: choose one of {', '.join(TASKS)}")
    arrays = _read(path)
    parts = [part for part in PARTS if f"x_{part}" in arrays]
    x = {part: _inputs(path, f"x_{part}", arrays[f"x_{part}"]) for part in parts}
    y = {part: _targets(path, f"y_{part}", arrays[f"y_{part}"], task=task) for part in parts}
    for part in parts:
        _check_fit(path, part, x, y, arrays)
    _check_range(path, y, task=task)
    pixel_max = PIXEL_MAX if x["train"].dtype == np.uint8 else None
    # Without `out`, channels-last images would keep their order in memory.
    whole = np.empty((sum(map(len, x.values())), *x["train"].shape[1:]), x["train"].dtype)
    np.concatenate(list(x.values()), out=whole)
    targets = np.concatenate(list(y.values()))
    return Arrays(whole, targets, task, pixel_max, num_test=len(x["test"]), num_validation=len(x.get("val", ())))


def _refuse(path: str, reason: str) -> NoReturn:
    raise ConfigError(f"data.path={path}: {reason}")


def _read(path: str) -> dict[str, np.ndarray]:
    try:
        with Archive(Path(path)) as archive:
            _check_names(path, archive.names)
            return {key: _numbers(path, key, archive.read(key)) for key in archive.names}
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


def _numbers(path: str, key: str, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "biuf":
        _refuse(path, f"{key} holds {array.dtype}, not numbers; store it as integers or floats")
    if array.size == 0:
        _refuse(path, f"{key} is empty (shape {array.shape}); every part needs at least one sample")
    return array


def _inputs(path: str, key: str, x: np.ndarray) -> np.ndarray:
    """Pixels stay uint8, everything else becomes float32; images become (N, C, H, W)."""
    if x.ndim not in (2, 3, 4):
        _refuse(path, f"{key} has shape {x.shape}; images are (N, H, W) or (N, H, W, C), tables (N, F)")
    if x.ndim > 2 and x.dtype.kind != "f" and x.dtype != np.uint8:
        _refuse(path, f"{key} has pixels of {x.dtype}; store them as uint8 (0..{PIXEL_MAX}) or as floats")
    if x.ndim == 3:
        x = x[:, None]
    elif x.ndim == 4:
        x = _channels_first(path, key, x)
    return x if x.ndim == 4 and x.dtype == np.uint8 else _finite(path, key, x)


def _channels_first(path: str, key: str, x: np.ndarray) -> np.ndarray:
    first, last = x.shape[1] in CHANNELS, x.shape[3] in CHANNELS
    if first and last:
        _refuse(path, f"{key} has shape {x.shape}: two of its dimensions could be the channels; pad the images")
    if not first and not last:
        _refuse(
            path, f"{key} has shape {x.shape}: no dimension can be the channels (1, 3 or 4); store it as (N, H, W, C)"
        )
    return x if first else x.transpose(0, 3, 1, 2)


def _finite(path: str, key: str, array: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # an overflow becomes infinite and is refused here
        array = array.astype(np.float32)
    if not np.isfinite(array).all():
        _refuse(path, f"{key} holds values that are not finite in float32; remove or replace those samples")
    return array


def _targets(path: str, key: str, y: np.ndarray, *, task: str) -> np.ndarray:
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        hint = "; for one-hot labels store y.argmax(1)" if task == "classification" else ""
        _refuse(path, f"{key} has shape {y.shape}; it must be (N,) or (N, 1){hint}")
    if task == "regression":
        return _finite(path, key, y)
    if y.dtype.kind == "f":
        _refuse(
            path,
            f"{key} holds {y.dtype}, but data.task={task} needs integers; store it as int64, or use "
            "data.task=regression",
        )
    return y.astype(np.int64)


def _check_fit(
    path: str, part: str, x: Mapping[str, np.ndarray], y: Mapping[str, np.ndarray], stored: Mapping[str, np.ndarray]
) -> None:
    """Refuse a part whose samples have no target each, or another shape or type than those for training."""
    if x[part].dtype != x["train"].dtype or x[part].shape[1:] != x["train"].shape[1:]:
        train, other = (f"{one.dtype} {one.shape}" for one in (stored["x_train"], stored[f"x_{part}"]))
        _refuse(path, f"x_train is {train} and x_{part} {other}; store both with the same type and sample shape")
    if len(x[part]) != len(y[part]):
        _refuse(path, f"x_{part} has {len(x[part])} samples and y_{part} {len(y[part])}; make them the same length")


def _check_range(path: str, y: Mapping[str, np.ndarray], *, task: str) -> None:
    train = y["train"]
    if train.min() == train.max():
        what = "is constant" if task == "regression" else "holds a single class"
        _refuse(path, f"y_train {what}, so there is nothing to learn; check how the file was written")
    if task == "regression":
        return
    highest = max(int(labels.max()) for labels in y.values())
    if task == "binary" and highest > 1:
        _refuse(path, f"labels reach {highest}, but data.task=binary needs 0 and 1; use data.task=classification")
    if fault := numbering_fault(train):
        _refuse(path, fault)
    for part, labels in y.items():
        if unseen := sorted({*labels.tolist()} - {*train.tolist()}):
            _refuse(path, f"y_{part} holds {unseen[0]}, which y_train lacks; remove those samples or add the class")
