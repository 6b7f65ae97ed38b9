"""Training, validation and test rows: a function of the data, of `data.split_seed` and, if resampled, of the seed."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from gradflow.errors import ConfigError, check_whole, is_whole, shown
from gradflow.seeds import Stream, numpy_generator

Validation = Literal["last", "random", "test"]
VALIDATIONS = get_args(Validation)
VALIDATION_SIZE = 0.1  # of the training set, if no size is given
PURPOSES = ("test_size", "validation_size", "samples")  # one stream each; their order is part of every result


@dataclass(frozen=True)
class SplitOptions:
    """How to split a data set; checked when built.

    Attributes:
        validation: `last`: the last part of the training set, in its order; `random`: drawn, stratified by class;
            `test`: the test set itself, the protocol of studies that select on it; None: the official validation set,
            or `random` if there is none.
        validation_size: a fraction in (0, 1) of the training set or a number of samples; None for a tenth, for `test`
            and for the official validation set.
        test_size: the same, of the whole data set; None if there is an official test set.
        split_seed: seed of what is drawn, at least 0.
        resampled_by: the seed of the run, if what is drawn follows it too; None: every seed has the same split.
    """

    validation: str | None
    validation_size: float | None
    test_size: float | None
    split_seed: int
    resampled_by: int | None = None

    def __post_init__(self) -> None:
        if self.validation not in (None, *VALIDATIONS):
            raise ConfigError(f"data.validation={self.validation}: choose one of {', '.join(VALIDATIONS)}")
        if self.validation == "test" and self.validation_size is not None:
            raise ConfigError(
                f"data.validation_size={self.validation_size}: has no effect, as data.validation=test validates on "
                "the whole test set; use data.validation_size=null"
            )
        for key in ("validation_size", "test_size"):
            if getattr(self, key) is not None:
                _check_size(key, getattr(self, key))
        check_whole("data.split_seed", self.split_seed, at_least=0, example=0)


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers of one data set, int64, each in ascending order; `validation` and `test` may be the same set."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def split_rows(
    y: np.ndarray, *, num_test: int, num_validation: int = 0, stratify: bool, options: SplitOptions
) -> Split:
    """Cut the test set off first, then the validation set from what is left.

    Args:
        y: labels or targets, shape (samples,).
        num_test: how many rows at the end are the official test set; 0 if there is none.
        num_validation: how many rows before these are the official validation set; 0 if there is none.
        stratify: keep each class's share in every part (y has class numbers).
        options: sizes and seed.

    Raises:
        ConfigError: if a size does not fit this data set or an option has no effect on it.
    """
    rows = np.arange(len(y))
    if num_test:
        _refuse_idle(options, own_validation=num_validation > 0)
        train, test = rows[:-num_test], rows[-num_test:]
    else:
        train, test = _draw(rows, y, purpose="test_size", size=options.test_size, stratify=stratify, options=options)
    if options.validation == "test":
        return Split(train, validation=test, test=test)
    if num_validation:
        return Split(train[:-num_validation], validation=train[-num_validation:], test=test)
    size = VALIDATION_SIZE if options.validation_size is None else options.validation_size
    if options.validation == "last":
        count = _count("validation_size", size, len(train))
        return Split(train[:-count], validation=train[-count:], test=test)
    train, validation = _draw(train, y, purpose="validation_size", size=size, stratify=stratify, options=options)
    return Split(train, validation=validation, test=test)


def sklearn_seed(
    seed: int, *, purpose: Literal["test_size", "validation_size", "samples"], resampled_by: int | None = None
) -> int:
    """A 32-bit seed for scikit-learn's `random_state`, from the stream that `data.split_seed` seeds.

    Args:
        seed: `data.split_seed`, or `data.sample_seed`.
        purpose: what is drawn.
        resampled_by: as in `SplitOptions`.
    """
    return int(numpy_generator(seed, Stream.SPLIT, PURPOSES.index(purpose), child=resampled_by).integers(2**32))


def _check_size(key: str, size: object) -> None:
    is_count = is_whole(size) and size >= 1
    if not is_count and not (isinstance(size, float) and 0 < size < 1):
        raise ConfigError(
            f"data.{key}={shown(size)}: give a fraction between 0 and 1 or a number of samples, e.g. 0.1 or 300"
        )


def _refuse_idle(options: SplitOptions, *, own_validation: bool) -> None:
    if options.test_size is not None:
        raise ConfigError(
            f"data.test_size={options.test_size}: has no effect, as this data set has its own test set; use "
            "data.test_size=null"
        )
    for key in ("validation", "validation_size") if own_validation else ():
        if (value := getattr(options, key)) is not None:
            raise ConfigError(
                f"data.{key}={value}: this data set has its own validation set, which is used; use data.{key}=null"
            )
    if not own_validation and options.validation not in ("last", "test"):
        return
    reason = "this data set has its own parts" if own_validation else f"with data.validation={options.validation}"
    remedy = "" if own_validation else " or data.validation=random"
    for idle, given, neutral in (
        (options.split_seed != 0, f"data.split_seed={options.split_seed}", "data.split_seed=0"),
        (options.resampled_by is not None, "resample_split=true", "resample_split=false"),
    ):
        if idle:
            raise ConfigError(f"{given}: has no effect, as nothing is drawn: {reason}; use {neutral}{remedy}")


def _count(key: str, size: float | None, available: int) -> int:
    if size is None:
        raise ConfigError(
            f"data.{key}=null: this data set has no test set of its own; give a size, e.g. data.{key}=0.2"
        )
    count = size if isinstance(size, int) else max(1, round(size * available))
    if count >= available:
        raise ConfigError(
            f"data.{key}={size}: leaves none of the {available} samples for training; use less, e.g. data.{key}=0.2"
        )
    return count


def _draw(
    rows: np.ndarray,
    y: np.ndarray,
    *,
    purpose: Literal["test_size", "validation_size"],
    size: float | None,
    stratify: bool,
    options: SplitOptions,
) -> tuple[np.ndarray, np.ndarray]:
    """The rows that stay and the rows drawn."""
    from sklearn.model_selection import train_test_split  # monitors need no scikit-learn, and import this module

    count = _count(purpose, size, len(rows))
    seed = sklearn_seed(options.split_seed, purpose=purpose, resampled_by=options.resampled_by)
    try:
        kept, drawn = train_test_split(rows, test_size=count, random_state=seed, stratify=y[rows] if stratify else None)
    except ValueError as error:  # a class is too rare, or the part is smaller than the number of classes
        remedy = "give a larger size" + (" or use data.validation=last" if purpose == "validation_size" else "")
        whose = "" if options.resampled_by is None else f" in the split of seed={options.resampled_by}"
        raise ConfigError(f"data.{purpose}={size}: cannot be stratified{whose} ({error}); {remedy}") from error
    return np.sort(kept), np.sort(drawn)
