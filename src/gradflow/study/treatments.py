"""What a study compares: activations or, where its module takes none, the values of the first axis that it varies."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from gradflow.runs.record import Record

ACTIVATION = "activation"  # the axis in whose place the other one stands
DEFAULT = "default"  # the value of an axis that a record leaves out
NONE = "none"  # where others of the study have an activation
_AXIS = re.compile(r"([\w.]+)=")  # leaky_relu(negative_slope=0.2) is an activation


def with_treatments(records: Sequence[Record]) -> list[Record]:
    """The records, each with an entry `activation` among its axes, such as `module.hidden=32`.

    The axis that takes activation's place is no axis of its own any more; the record's own `activation` stays None.
    """
    if all(ACTIVATION in record["axes"] for record in records):
        return list(records)
    if any(ACTIVATION in record["axes"] for record in records):
        return [record | {"axes": {ACTIVATION: NONE, **record["axes"]}} for record in records]
    axis = _first_varied([record["axes"] for record in records])
    values = [record["axes"].get(axis) for record in records]
    ordered = list(records)
    if all(isinstance(value, int | float) for value in values):
        ordered.sort(key=lambda record: record["axes"][axis])
    return [record | {"axes": _instead(record["axes"], axis)} for record in ordered]


def compared(names: Iterable[str]) -> str:
    """What is compared: `activation`, or the axis where each name is an axis and its value, `module.hidden=32`."""
    axes = {found[1] if (found := _AXIS.match(name)) else ACTIVATION for name in names}
    return axes.pop() if len(axes) == 1 else ACTIVATION


def heading(names: Iterable[str]) -> str:
    """The heading over what is compared: empty where each name says it already, `module.hidden=32`."""
    what = compared(names)
    return what if what == ACTIVATION else ""


def _first_varied(axes: Sequence[dict[str, Any]]) -> str:
    """The first axis with several values, or else the module itself."""
    keys = dict.fromkeys(key for one in axes for key in one if key != "blocks")
    varied = (key for key in keys if len({str(one.get(key, DEFAULT)) for one in axes}) > 1)
    return next(varied, next(iter(key for key in keys if key == "module"), next(iter(keys), ACTIVATION)))


def _instead(axes: dict[str, Any], axis: str) -> dict[str, Any]:
    others = {key: value for key, value in axes.items() if key != axis}
    return {ACTIVATION: f"{axis}={axes.get(axis, DEFAULT)}", **others}
