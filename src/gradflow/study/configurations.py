"""What distinguishes the configurations of a study: activation, depth, and anything else that was varied."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gradflow.runs.record import Record, State
from gradflow.study.treatments import ACTIVATION, compared

if TYPE_CHECKING:
    import pandas as pd

KEYS = ["config", "activation", "blocks", "variant"]  # the columns that every frame of this package starts with
LEADING = ("activation", "blocks")
_NUMBER = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?(?:e[-+]?\d+)?)(?![\w.])")


def variants(records: Sequence[Record]) -> dict[str, str]:
    """Configuration -> the axes other than activation and depth that vary within the study, as text; often empty.

    A parameter of an activation belongs to the activation's name, as in comparisons. Axes leave out a default; it is
    named where the commands spell it out.
    """
    others = {
        r["config"]: {k: str(v) for k, v in r["axes"].items() if k not in LEADING and not k.startswith("activation.")}
        for r in records
    }
    keys = dict.fromkeys(key for axes in others.values() for key in axes)
    varied = [key for key in keys if len({axes.get(key) for axes in others.values()}) > 1]
    defaults = {key: value for key in varied if (value := spelled_default(records, key)) is not None}
    return {
        config: ", ".join(f"{key}={(defaults | axes)[key]}" for key in varied if key in defaults | axes)
        for config, axes in others.items()
    }


def spelled_default(records: Sequence[Record], key: str) -> str | None:
    """The value that the runs without this axis have typed, if it is one for all of them."""
    without = [record for record in records if key not in record["axes"]]
    typed = {one.partition("=")[2] for r in without for one in r["overrides"] if one.startswith(f"{key}=")}
    return typed.pop() if len(typed) == 1 else None


def identities(records: Sequence[Record]) -> dict[str, dict[str, Any]]:
    """Configuration -> its `KEYS`, by variant (those of defaults first), activation, then depth.

    In a study without depths, `blocks` is None.
    """
    variant = variants(records)
    found = {
        r["config"]: {
            "config": r["config"],
            "activation": activations([r])[0],
            "blocks": r["blocks"],
            "variant": variant[r["config"]],
        }
        for r in records
    }
    names = activations(records)
    rank = {name: place for place, name in enumerate(sorted(names) if compared(names) == ACTIVATION else names)}
    changes: dict[str, int] = {}  # axes leave out defaults
    for r in records:
        changes[variant[r["config"]]] = min(len(r["axes"]), changes.get(variant[r["config"]], len(r["axes"])))

    def order(identity: dict[str, Any]) -> tuple[Any, ...]:
        name, blocks = identity["variant"], identity["blocks"]
        return changes[name], _numbers_by_size(name), rank[identity["activation"]], blocks is None, blocks or 0

    return dict(sorted(found.items(), key=lambda item: order(item[1])))


def _numbers_by_size(text: str) -> list[Any]:
    """What sorts `width=64` before `width=128`."""
    parts = _NUMBER.split(text)
    return [float(part) if place % 2 else part for place, part in enumerate(parts)]


def finished(records: Sequence[Record], config: str) -> list[Record]:
    """The finished runs of one configuration, by seed."""
    chosen = [r for r in records if r["config"] == config and r["state"] == State.FINISHED]
    return sorted(chosen, key=lambda record: record["seed"])


def groups(frame: "pd.DataFrame", keys: list[str]) -> "Iterator[tuple[dict[str, Any], pd.DataFrame]]":
    """The parts of a frame with equal values in these columns, in order of appearance; missing values are equal."""
    import pandas as pd  # what trains, or prints a few lines, need not wait for it

    for _, part in frame.groupby(keys, sort=False, dropna=False):
        first = part.iloc[0]
        yield {key: None if pd.isna(first[key]) else first[key] for key in keys}, part


def activations(records: Iterable[Record]) -> list[str]:
    """Activations as they are compared: the label, with any parameters that the study varies."""
    return list(dict.fromkeys(activation_of(record["axes"]) for record in records))


def activation_of(axes: Mapping[str, Any]) -> str:
    """`leaky_relu(negative_slope=0.2)`: an activation's parameters belong to its name and are not axes of their own."""
    own = [f"{axis.partition('.')[2]}={value}" for axis, value in axes.items() if axis.startswith("activation.")]
    return f"{axes['activation']}({', '.join(own)})" if own else str(axes["activation"])


def group_of(axes: Mapping[str, Any]) -> dict[str, Any]:
    return {axis: value for axis, value in axes.items() if axis.partition(".")[0] != "activation"}


def group_key(group: Mapping[str, Any]) -> str:
    return json.dumps(group, sort_keys=True)
