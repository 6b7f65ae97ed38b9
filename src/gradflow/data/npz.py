"""Your own arrays from an .npz file in Keras's layout: x_train, y_train, x_test, y_test.

Every fault in the file is a ConfigError that names the file, the array and the remedy.
"""

import zipfile
import zlib
from pathlib import Path
from typing import NoReturn

import numpy as np

from gradflow.data.arrays import TASKS, Arrays, numbering_fault
from gradflow.errors import ConfigError

KEYS = ("x_train", "y_train", "x_test", "y_test")
CHANNELS = (1, 3, 4)  # grey, colour, colour with transparency
PIXEL_MAX = 255
LAYOUT = f"np.savez(FILE, {', '.join(f'{key}=...' for key in KEYS)})"


def find(path: str) -> Path:
    """The file, with ~ expanded.

    Raises:
        ConfigError: if there is no such file.
    """
    file = Path(path).expanduser()
    if not file.is_file():
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
    x_train, x_test = (_inputs(path, key, arrays[key]) for key in ("x_train", "x_test"))
    if x_train.dtype != x_test.dtype or x_train.shape[1:] != x_test.shape[1:]:
        train, test = (f"{arrays[key].dtype} {arrays[key].shape}" for key in ("x_train", "x_test"))
        _refuse(path, f"x_train is {train} and x_test {test}; store both with the same type and sample shape")
    y_train, y_test = (_targets(path, key, arrays[key], task=task) for key in ("y_train", "y_test"))
    for x, y, part in ((x_train, y_train, "train"), (x_test, y_test, "test")):
        if len(x) != len(y):
            _refuse(path, f"x_{part} has {len(x)} samples and y_{part} {len(y)}; make them the same length")
    _check_range(path, y_train, y_test, task=task)
    pixel_max = PIXEL_MAX if x_train.dtype == np.uint8 else None
    # Without `out`, channels-last images would keep their order in memory.
    x = np.empty((len(x_train) + len(x_test), *x_train.shape[1:]), x_train.dtype)
    np.concatenate([x_train, x_test], out=x)
    return Arrays(x, np.concatenate([y_train, y_test]), task, pixel_max, num_test=len(x_test))


def _refuse(path: str, reason: str) -> NoReturn:
    raise ConfigError(f"data.path={path}: {reason}")


def _read(path: str) -> dict[str, np.ndarray]:
    with Path(path).open("rb") as file:  # opened here, because np.load leaves a damaged file open
        try:
            stored = np.load(file, allow_pickle=False)
        except (ValueError, OSError, EOFError, zipfile.BadZipFile):  # NumPy tries each of its formats in turn
            _refuse(path, f"not an .npz file, or a damaged one; write it with {LAYOUT}")
        if not isinstance(stored, np.lib.npyio.NpzFile):
            _refuse(path, f"a single array, not an .npz file; write it with {LAYOUT}")
        if missing := [key for key in KEYS if key not in stored.files]:
            _refuse(path, f"it has no {', '.join(missing)} (only {', '.join(stored.files)}); write it with {LAYOUT}")
        return {key: _member(path, stored, key) for key in KEYS}


def _member(path: str, stored: np.lib.npyio.NpzFile, key: str) -> np.ndarray:
    try:
        array = stored[key]
    except ValueError:  # the pickles inside could run code
        _refuse(path, f"{key} holds Python objects; store it as an array of numbers")
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error):
        _refuse(path, f"{key} is damaged; write it again with {LAYOUT}")
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


def _check_range(path: str, y_train: np.ndarray, y_test: np.ndarray, *, task: str) -> None:
    if task == "regression":
        if y_train.min() == y_train.max():
            _refuse(path, "y_train is constant, so there is nothing to learn; check how the file was written")
        return
    reached = max(int(y_train.max()), int(y_test.max()))
    if y_train.min() == y_train.max():
        _refuse(path, "y_train holds a single class, so there is nothing to learn; check how the file was written")
    if task == "binary" and reached > 1:
        _refuse(path, f"labels reach {reached}, but data.task=binary needs 0 and 1; use data.task=classification")
    if fault := numbering_fault(y_train):
        _refuse(path, fault)
    if unseen := sorted({*y_test.tolist()} - {*y_train.tolist()}):
        _refuse(path, f"y_test holds {unseen[0]}, which y_train lacks; remove those samples or add the class")
