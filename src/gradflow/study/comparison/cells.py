"""The runs of a study by activation and group: what a comparison has on either side."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gradflow.runs.metrics import Metric
from gradflow.runs.record import Record, State
from gradflow.study.comparison.tuning import Choice
from gradflow.study.configurations import activation_of, group_key, group_of


@dataclass
class Cell:
    """The runs of one activation in one group, by seed."""

    activation: str
    group: dict[str, Any]
    runs: dict[int, Record] = field(default_factory=dict)
    choice: Choice | None = None

    def finished(self) -> list[Record]:
        return [run for run in self.runs.values() if run["state"] == State.FINISHED]

    def values(self, metric: Metric) -> dict[int, float]:
        """The metric by seed, as log10 if it is averaged that way; a gradient of exactly zero is left out."""
        values = {run["seed"]: run["metrics"].get(metric.tag) for run in self.finished()}
        known = {seed: float(value) for seed, value in values.items() if value is not None and math.isfinite(value)}
        if metric.is_logarithmic:
            return {seed: math.log10(value) for seed, value in known.items() if value > 0}
        return known

    def defines(self, metric: str) -> bool:
        """Whether a run has the metric, or no run has finished yet."""
        runs = self.finished()
        return not runs or any(metric in run["metrics"] for run in runs)


def cells_of(records: Sequence[Record], choices: Sequence[Choice]) -> dict[tuple[str, str], Cell]:
    """Cells by activation and group, in order of the activations, then of the other axes, then of depth."""
    cells: dict[tuple[str, str], Cell] = {}

    def cell(axes: Mapping[str, Any]) -> Cell:
        name, group = activation_of(axes), group_of(axes)
        return cells.setdefault((name, group_key(group)), Cell(name, group))

    for choice in choices:
        cell(choice.axes).choice = choice
    for record in records:
        runs = cell(record["axes"]).runs
        if record["seed"] in runs:
            raise ValueError(f"{record.get('config')}: two runs of seed {record['seed']}; compare one study at a time")
        runs[record["seed"]] = record
    first_name = {name: i for i, name in reversed(list(enumerate(key[0] for key in cells)))}
    first_rest = {_rest(c.group): i for i, c in reversed(list(enumerate(cells.values())))}
    order = sorted(
        cells.items(),
        key=lambda item: (first_name[item[0][0]], first_rest[_rest(item[1].group)], item[1].group.get("blocks") or 0),
    )
    return dict(order)


def _rest(group: Mapping[str, Any]) -> str:
    return group_key({axis: value for axis, value in group.items() if axis != "blocks"})
