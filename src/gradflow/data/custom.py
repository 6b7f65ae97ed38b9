"""`data=custom`: a function or a Dataset class of the user's own as a data set in memory."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import lightning as L
import numpy as np
from hydra.utils import get_object
from torch import Tensor
from torch.utils.data import Dataset

from gradflow.data.arrays import Arrays
from gradflow.data.own_arrays import PARTS, Fault, Layout, checked
from gradflow.data.samples import as_array, of_datasets
from gradflow.errors import ConfigError

TARGET = "_target_"
MODULE = "gradflow.data.datamodule.ArrayDataModule"
READER = "gradflow.data.custom.custom"
_TWO = ("train", "test")
_PAIR, _FOUR = ("x", "y"), ("x_train", "y_train", "x_test", "y_test")
_SIX = (*_FOUR[:2], "x_val", "y_val", *_FOUR[2:])
_EXPECTED = (
    "return (x, y), (x_train, y_train, x_test, y_test), a dictionary with these names, a Dataset or a pair of Datasets "
    "(train, test)"
)


def is_source(target: object) -> bool:
    """Whether a target of the group `data` makes samples, and is no LightningDataModule; False if that is unknown."""
    if not isinstance(target, str):
        return False
    try:
        thing = get_object(target)
    except Exception:  # importing somebody's module may raise anything; whoever builds it says what
        return False
    return callable(thing) and not (isinstance(thing, type) and issubclass(thing, L.LightningDataModule))


def as_module(node: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a data module whose source is what the target names.

    Args:
        node: the group `data`, whose `_target_` is a source.
    """
    options = {key: value for key, value in node.items() if key != TARGET}
    return {TARGET: MODULE, "source": {TARGET: READER, "_partial_": True}, "target": node[TARGET], **options}


def custom(*, target: str, task: str | None = None, layout: Layout | None = None, **options: Any) -> Arrays:
    """Call the user's code and check what it returns; see docs/your_data.md.

    Args:
        target: dotted name of the function or class.
        task: what y means; None: what an `Arrays` says, or classification.
        layout: which axis of images has the channels; None: as their shape tells, and NCHW for tensors that do not.
        options: the arguments of the target.

    Raises:
        ConfigError: if it fails, or returns no usable data set.
    """
    where = f"data.{TARGET}={target}"
    try:
        made = _made(get_object(target), options)
        if isinstance(made, Arrays):
            return _agreeing(made, task, layout)
        found, in_tensors = _arrays(made)
        otherwise: Layout | None = "NCHW" if in_tensors else None
        return checked(found, task=task or "classification", layout=layout, otherwise=otherwise)
    except ConfigError:
        raise
    except Fault as fault:
        raise ConfigError(f"{where}: {fault}") from fault
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ConfigError(f"{where}: fails ({reason}); check its code and its arguments") from error


def _parts_argument(thing: Any) -> str | None:
    """The argument by which a Dataset class is asked for its training or test part; None if it has none."""
    if not _makes_samples(thing):
        return None
    return next((name for name in ("train", "split") if name in inspect.signature(thing).parameters), None)


def _makes_samples(thing: Any) -> bool:
    return isinstance(thing, type) and hasattr(thing, "__getitem__") and hasattr(thing, "__len__")


def _made(thing: Callable[..., Any], options: Mapping[str, Any]) -> Any:
    """What the target returns; of a class, its data sets by part."""
    argument = _parts_argument(thing)
    if not _makes_samples(thing):
        return thing(**options)
    if argument is None or argument in options:
        return {"all": thing(**options)}
    return {part: thing(**{argument: part == "train" if argument == "train" else part}, **options) for part in _TWO}


def _agreeing(made: Arrays, task: str | None, layout: str | None) -> Arrays:
    if task not in (None, made.task):
        raise ConfigError(f"data.task={task}: the Arrays say {made.task}; leave data.task out")
    if layout is not None:
        raise ConfigError(f"data.layout={layout}: has no effect on Arrays, which are NCHW; leave it out")
    if not (np.isfinite(made.x).all() and np.isfinite(made.y).all()):
        raise Fault("x or y holds values that are not finite; remove or replace those samples")
    return made


def _arrays(made: Any) -> tuple[dict[str, np.ndarray], bool]:
    """Arrays by their names, and whether x came in tensors."""
    named = _named(made)
    if all(name in ("all", *PARTS) for name in named):
        return of_datasets(named)
    in_tensors = any(isinstance(value, Tensor) for name, value in named.items() if name[0] == "x")
    return {name: as_array(value) for name, value in named.items()}, in_tensors


def _named(made: Any) -> dict[str, Any]:
    if isinstance(made, Mapping):
        named = dict(made)
    elif isinstance(made, Dataset):
        named = {"all": made}
    elif isinstance(made, tuple | list) and len(made) in (2, 3) and all(isinstance(one, Dataset) for one in made):
        names: tuple[str, ...] = PARTS if len(made) == len(PARTS) else _TWO
        named = dict(zip(names, made, strict=True))
    elif isinstance(made, tuple | list) and len(made) in (2, 4, 6):
        names = {2: _PAIR, 4: _FOUR, 6: _SIX}[len(made)]
        named = dict(zip(names, made, strict=True))
    else:
        raise Fault(f"it returns {type(made).__name__}; {_EXPECTED}")
    legal = [{"all"}, set(_TWO), set(PARTS), set(_PAIR), set(_FOUR), set(_SIX)]
    if set(named) not in legal:
        raise Fault(f"it returns {', '.join(map(str, named)) or 'nothing'}; {_EXPECTED}")
    return named
