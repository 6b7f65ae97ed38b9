"""What tells the configurations of a study apart: activation, depth, and whatever else was varied."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from gradflow.runs.record import Record, State
from gradflow.study.cells import activations

KEYS = ["config", "activation", "blocks", "variant"]  # the columns that every frame of this package starts with
LEADING = ("activation", "blocks")


def variants(records: Sequence[Record]) -> dict[str, str]:
    """Configuration -> the axes beside activation and depth that vary within the study, as text; often empty.

    A parameter of an activation belongs to the activation's name, as in comparisons.
    """
    others = {
        r["config"]: {k: str(v) for k, v in r["axes"].items() if k not in LEADING and not k.startswith("activation.")}
        for r in records
    }
    varied = {key for axes in others.values() for key in axes if len({other.get(key) for other in others.values()}) > 1}
    return {
        config: ", ".join(f"{key}={value}" for key, value in axes.items() if key in varied)
        for config, axes in others.items()
    }


def identities(records: Sequence[Record]) -> dict[str, dict[str, Any]]:
    """Configuration -> its `KEYS`, by activation, then depth. A study without depths has None for `blocks`."""
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
    return dict(sorted(found.items(), key=lambda item: _order(item[1])))


def _order(identity: dict[str, Any]) -> tuple[Any, ...]:
    blocks = identity["blocks"]
    return identity["variant"], identity["activation"], blocks is None, blocks or 0


def finished(records: Sequence[Record], config: str) -> list[Record]:
    """The finished runs of one configuration, by seed."""
    chosen = [r for r in records if r["config"] == config and r["state"] == State.FINISHED]
    return sorted(chosen, key=lambda record: record["seed"])


def groups(frame: pd.DataFrame, keys: list[str]) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """The parts of a frame that share these columns, in order of appearance; a missing value counts as a value."""
    for _, part in frame.groupby(keys, sort=False, dropna=False):
        first = part.iloc[0]
        yield {key: None if pd.isna(first[key]) else first[key] for key in keys}, part
