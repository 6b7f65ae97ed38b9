"""Arrays of the user's own, from a file or from code: checked, and brought into the form that `Arrays` has.

Every fault is one line that names the array and the remedy; whoever reads the arrays adds where they are from.
"""

from collections.abc import Mapping
from typing import Literal, NoReturn, get_args

import numpy as np

from gradflow.data.arrays import TASKS, Arrays, numbering_fault
from gradflow.errors import ConfigError, shown

Layout = Literal["NHWC", "NCHW"]
PARTS = ("train", "val", "test")  # the order of the rows
CHANNELS = (1, 3, 4)  # grey, colour, colour with transparency: what tells the layout of images
PIXEL_MAX = 255
_WHOLE = "all"  # the part of data without a test set of their own, whose arrays are called x and y


class Fault(ValueError):
    """What is wrong with an array, and the remedy."""


def key_of(array: str, part: str) -> str:
    """`x_train`, or `x` of data that are not divided yet."""
    return array if part == _WHOLE else f"{array}_{part}"


def check_task(task: object) -> None:
    """Refuse words that are no task.

    Raises:
        ConfigError: naming those that are.
    """
    if task not in TASKS:
        raise ConfigError(f"data.task={shown(task)}: choose one of {', '.join(TASKS)}")


def checked(
    found: Mapping[str, np.ndarray], *, task: str, layout: str | None = None, otherwise: Layout | None = None
) -> Arrays:
    """A data set of these arrays.

    Args:
        found: `x_train`, `y_train`, `x_test`, `y_test`, perhaps `x_val`, `y_val`; or `x` and `y`. x is uint8 images,
            shape (N, H, W), (N, H, W, C) or (N, C, H, W), the same in floats (used unchanged), or tables, shape (N, F),
            of numbers of any type. y has shape (N,) or (N, 1): integer class numbers from 0 for classification, 0 or 1
            for binary, any finite numbers for regression; or (N, K): K numbers for regression, K labels of 0 or 1 for
            multilabel.
        task: one of `TASKS`.
        layout: which axis of images has the channels, `NHWC` or `NCHW`; None: the one with 1, 3 or 4 entries, or
            the one that differs from the two others.
        otherwise: the layout of images that do not tell.

    Raises:
        Fault: if anything is wrong with the arrays.
        ConfigError: if there is no such task or layout.
    """
    check_task(task)
    if layout not in (None, *get_args(Layout)):
        raise ConfigError(f"data.layout={shown(layout)}: choose one of {', '.join(get_args(Layout))}")
    stored = {key: _numbers(key, array) for key, array in found.items()}
    parts = [part for part in (*PARTS, _WHOLE) if key_of("x", part) in stored]
    x = {part: _inputs(key_of("x", part), stored[key_of("x", part)], layout, otherwise) for part in parts}
    y = {part: _targets(key_of("y", part), stored[key_of("y", part)], task) for part in parts}
    for part in parts:
        _check_fit(part, parts[0], x, y, stored)
    _check_range(y, parts[0], task)
    pixel_max = PIXEL_MAX if x[parts[0]].dtype == np.uint8 else None
    # Without `out`, channels-last images would keep their order in memory.
    whole = np.empty((sum(map(len, x.values())), *x[parts[0]].shape[1:]), x[parts[0]].dtype)
    np.concatenate(list(x.values()), out=whole)
    targets = np.concatenate(list(y.values()))
    counts = {f"num_{name}": len(x.get(part, ())) for name, part in (("test", "test"), ("validation", "val"))}
    return Arrays(whole, targets, task, pixel_max, **counts)  # type: ignore[arg-type]  # the task has been checked


def _refuse(reason: str) -> NoReturn:
    raise Fault(reason)


def _numbers(key: str, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "biuf":
        _refuse(f"{key} holds {array.dtype}, not numbers; store it as integers or floats")
    if array.size == 0:
        _refuse(f"{key} is empty (shape {array.shape}); every part needs at least one sample")
    return array


def _inputs(key: str, x: np.ndarray, layout: str | None, otherwise: Layout | None) -> np.ndarray:
    """Pixels stay uint8, everything else becomes float32; images become (N, C, H, W)."""
    if x.ndim not in (2, 3, 4):
        _refuse(f"{key} has shape {x.shape}; images are (N, H, W) or (N, H, W, C), tables (N, F)")
    if x.ndim > 2 and x.dtype.kind != "f" and x.dtype != np.uint8:
        _refuse(f"{key} has pixels of {x.dtype}; store them as uint8 (0..{PIXEL_MAX}) or as floats")
    if x.ndim < 4 and layout is not None:
        _refuse(f"{key} has shape {x.shape}, in which no axis has channels; leave data.layout={layout} out")
    if x.ndim == 3:
        x = x[:, None]
    elif x.ndim == 4:
        x = _channels_first(key, x, layout, otherwise)
    return x if x.ndim == 4 and x.dtype == np.uint8 else _finite(key, x)


def _channels_first(key: str, x: np.ndarray, layout: str | None, otherwise: Layout | None) -> np.ndarray:
    chosen = layout or _layout_of(x.shape) or otherwise
    if chosen is None:
        several = x.shape[1] in CHANNELS and x.shape[3] in CHANNELS
        what = "two of its dimensions could be the channels" if several else "no dimension is plainly the channels"
        _refuse(f"{key} has shape {x.shape}: {what}; say which with +data.layout=NHWC or +data.layout=NCHW")
    return x if chosen == "NCHW" else x.transpose(0, 3, 1, 2)


def _layout_of(shape: tuple[int, ...]) -> Layout | None:
    """By 1, 3 or 4 channels; of others, square images show which dimension has them. None if that does not tell."""
    _, first, middle, last = shape
    is_first, is_last = first in CHANNELS, last in CHANNELS
    if is_first == is_last:
        is_first, is_last = middle == last != first, first == middle != last
    return None if is_first == is_last else "NCHW" if is_first else "NHWC"


def _finite(key: str, array: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # an overflow becomes infinite and is refused here
        array = array.astype(np.float32)
    if not np.isfinite(array).all():
        _refuse(f"{key} holds values that are not finite in float32; remove or replace those samples")
    return array


def _targets(key: str, y: np.ndarray, task: str) -> np.ndarray:
    if task == "multilabel":
        return _labels(key, y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 2 and task == "regression":
        return _finite(key, y)
    if y.ndim != 1:
        hint = "; for one-hot labels store y.argmax(1)" if task == "classification" else ""
        if hint and y.ndim == 2:
            hint += ", for several labels a sample use data.task=multilabel, for several numbers data.task=regression"
        _refuse(f"{key} has shape {y.shape}; it must be (N,) or (N, 1){hint}")
    if task == "regression":
        return _finite(key, y)
    if y.dtype.kind == "f":
        _refuse(
            f"{key} holds {y.dtype}, but data.task={task} needs integers; store it as int64, or use "
            "data.task=regression"
        )
    return y.astype(np.int64)


def _labels(key: str, y: np.ndarray) -> np.ndarray:
    if y.ndim != 2 or y.shape[1] < 2:
        _refuse(
            f"{key} has shape {y.shape}, but data.task=multilabel needs (N, K) with K labels of 0 or 1; for one label "
            "use data.task=binary"
        )
    if (wrong := y[(y != 0) & (y != 1)]).size:
        _refuse(f"{key} holds {wrong[0]}, but data.task=multilabel needs labels of 0 and 1; store y > 0, say")
    return y.astype(np.int64)


def _check_fit(
    part: str, first: str, x: Mapping[str, np.ndarray], y: Mapping[str, np.ndarray], stored: Mapping[str, np.ndarray]
) -> None:
    """Refuse a part whose samples have no target each, or another shape or type than those for training."""
    for array, made in (("x", x), ("y", y)):
        if made[part].dtype != made[first].dtype or made[part].shape[1:] != made[first].shape[1:]:
            key, other = key_of(array, first), key_of(array, part)
            here, there = (f"{one.dtype} {one.shape}" for one in (stored[key], stored[other]))
            _refuse(f"{key} is {here} and {other} {there}; store both with the same type and sample shape")
    if len(x[part]) != len(y[part]):
        names = key_of("x", part), key_of("y", part)
        _refuse(f"{names[0]} has {len(x[part])} samples and {names[1]} {len(y[part])}; make them the same length")


def _check_columns(key: str, train: np.ndarray, task: str) -> None:
    """Refuse targets and labels that do not vary: r2 and F1 would judge what cannot be learned."""
    constant = np.flatnonzero(train.min(axis=0) == train.max(axis=0))
    if len(constant):
        what = f"label {constant[0]}" if task == "multilabel" else f"target {constant[0]}"
        _refuse(f"{what} of {key} (counted from 0) is the same for all samples; leave that column out of y")


def _check_range(y: Mapping[str, np.ndarray], first: str, task: str) -> None:
    train, key = y[first], key_of("y", first)
    if train.ndim == 2:
        _check_columns(key, train, task)
        return
    if train.min() == train.max():
        what = "is constant" if task == "regression" else "holds a single class"
        _refuse(f"{key} {what}, so there is nothing to learn; check how it was made")
    if task == "regression":
        return
    highest = max(int(labels.max()) for labels in y.values())
    if task == "binary" and highest > 1:
        _refuse(f"labels reach {highest}, but data.task=binary needs 0 and 1; use data.task=classification")
    if fault := numbering_fault(train):
        _refuse(fault)
    for part, labels in y.items():
        if unseen := sorted({*labels.tolist()} - {*train.tolist()}):
            _refuse(f"{key_of('y', part)} holds {unseen[0]}, which {key} lacks; remove those samples or add the class")
