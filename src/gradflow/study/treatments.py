"""What a study compares: activations or, where its module takes none, the values of the first axis that it varies."""

from collections.abc import Sequence
from typing import Any

from gradflow.runs.record import Record

ACTIVATION = "activation"  # the axis in whose place the other one stands
DEFAULT = "default"  # the value of an axis that a record leaves out
NONE = "none"  # where others of the study have an activation


def with_treatments(records: Sequence[Record]) -> list[Record]:
    """The records, each with an entry `activation` among its axes, such as `module.hidden=32`.

    The axis that takes activation's place is no axis of its own any more; the record's own `activation` stays None.
    """
    if all(ACTIVATION in record["axes"] for record in records):
        return list(records)
    if any(ACTIVATION in record["axes"] for record in records):
        return [record | {"axes": {ACTIVATION: NONE, **record["axes"]}} for record in records]
    axis = _first_varied([record["axes"] for record in records])
    return [record | {"axes": _instead(record["axes"], axis)} for record in records]


def title(records: Sequence[Record]) -> str:
    """The heading of what is compared; empty where it is no activation and says itself what it is."""
    return ACTIVATION if any(record["activation"] is not None for record in records) else ""


def _first_varied(axes: Sequence[dict[str, Any]]) -> str:
    """The first axis with several values, or else the module itself."""
    keys = dict.fromkeys(key for one in axes for key in one if key != "blocks")
    varied = (key for key in keys if len({str(one.get(key, DEFAULT)) for one in axes}) > 1)
    return next(varied, next(iter(key for key in keys if key == "module"), next(iter(keys), ACTIVATION)))


def _instead(axes: dict[str, Any], axis: str) -> dict[str, Any]:
    others = {key: value for key, value in axes.items() if key != axis}
    return {ACTIVATION: f"{axis}={axes.get(axis, DEFAULT)}", **others}
