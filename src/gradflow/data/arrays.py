"""What a data source returns: all samples in two arrays."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Literal

import numpy as np

from gradflow.errors import ConfigError

Task = Literal["classification", "binary", "regression", "multilabel"]
TASKS: tuple[Task, ...] = ("classification", "binary", "regression", "multilabel")
NUMBERED: tuple[Task, ...] = ("classification", "binary")  # whose targets are class numbers
SEVERAL: tuple[Task, ...] = ("regression", "multilabel")  # whose samples may have several targets


@dataclass(frozen=True, eq=False)  # comparing arrays has no truth value
class Arrays:
    """A whole data set in memory, shared by all runs of a process and never written to.

    Attributes:
        x: images uint8 (pixels) or float32, shape (samples, channels, height, width), or tables float32, shape
            (samples, features); contiguous.
        y: class numbers int64 in [0, classes), for binary tasks in {0, 1}, or regression targets float32 in their own
            unit, shape (samples,); several regression targets, or the labels 0 and 1 (int64) of a multilabel task,
            shape (samples, outputs).
        task: what y means; it selects the loss.
        pixel_max: the value of a white pixel in uint8 images (255; 16 for digits); None for float32 data.
        num_test: how many samples at the end are the official test set; 0 if there is none.
        num_validation: how many samples before these are the official validation set, which needs a test set; 0 if
            there is none.
        classes: the names of the classes, in the order of their numbers; empty if they have none.
    """

    x: np.ndarray
    y: np.ndarray
    task: Task
    pixel_max: int | None
    num_test: int = 0
    num_validation: int = 0
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert self.task in TASKS, self.task
        assert self.x.dtype == (np.float32 if self.pixel_max is None else np.uint8), self.x.dtype
        assert self.y.dtype == (np.float32 if self.task == "regression" else np.int64), self.y.dtype
        assert self.x.ndim == 4 or (self.x.ndim == 2 and self.pixel_max is None), self.x.shape
        assert self.x.flags.c_contiguous
        assert len(self.y) == len(self.x), (self.x.shape, self.y.shape)
        assert self.y.ndim == 1 or (self.y.ndim == 2 and self.task in SEVERAL and self.y.shape[1] > 1), self.y.shape
        assert self.y.ndim == 2 or self.task != "multilabel", self.y.shape
        assert 0 <= self.num_test < len(self.x), self.num_test
        assert 0 <= self.num_validation < len(self.x) - self.num_test, self.num_validation
        assert self.num_test or not self.num_validation

    @property
    def num_outputs(self) -> int:
        """Outputs that a network needs: one per class, per label or per target; 1 for binary tasks (one logit)."""
        if self.task == "classification":
            return int(self.y.max()) + 1
        return self.y.shape[1] if self.y.ndim == 2 else 1


def unwrapped(source: partial[Arrays]) -> partial[Arrays]:
    """The function itself and all its options: Hydra hands over a new wrapper each time, which no cache would know."""
    while isinstance(source.func, partial):
        inner = source.func
        source = partial(inner.func, *inner.args, *source.args, **{**inner.keywords, **source.keywords})
    return source


def loaded(source: partial[Arrays]) -> Arrays:
    """What a source returns; one copy, shared by the runs of a sweep in the process that trains them.

    Raises:
        ConfigError: if the labels leave gaps.
    """
    return _loaded(_Call(source.func, _hashable(source.keywords), source.keywords))


@dataclass(frozen=True)
class _Call:
    """A function and its options, which may be lists: what is equal has been loaded before."""

    source: Callable[..., Arrays]
    equal: Hashable
    options: Mapping[str, Any] = field(compare=False)


def _hashable(value: Any) -> Hashable:
    if isinstance(value, Mapping):
        return tuple((key, _hashable(one)) for key, one in value.items())
    return tuple(map(_hashable, value)) if isinstance(value, list | tuple) else value


@lru_cache(maxsize=1)
def _loaded(call: _Call) -> Arrays:
    arrays = call.source(**call.options)
    labels = arrays.y[: len(arrays.y) - arrays.num_test - arrays.num_validation]
    if arrays.task in NUMBERED and (fault := numbering_fault(labels)):
        raise ConfigError(f"data.source._target_={call.source.__module__}.{call.source.__qualname__}: {fault}")
    return arrays


def numbering_fault(labels: np.ndarray) -> str | None:
    """What is wrong with the labels of a training set, and the remedy; None if they are 0, 1, ..., K - 1, each present.

    A number without samples would get an output of the network that is never right.

    Args:
        labels: integers, shape (samples,), at least one.
    """
    found = np.unique(labels)
    if np.array_equal(found, np.arange(len(found))):
        return None
    return (
        f"the training labels are {_listed(found)}; number the classes from 0 without gaps, e.g. by "
        "np.unique(y, return_inverse=True)[1] of all labels together"
    )


def _listed(labels: np.ndarray) -> str:
    """`1 to 10`, `0, 2, 5` or `0, 100, 200, ..., 900`; the labels are in ascending order."""
    few = [str(label) for label in labels[:4]]
    if len(labels) > 2 and labels[-1] - labels[0] == len(labels) - 1:
        return f"{labels[0]} to {labels[-1]}"
    return ", ".join(few if len(labels) <= 4 else [*few[:3], "...", str(labels[-1])])
