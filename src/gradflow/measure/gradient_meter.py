"""From the steps of optimizers to rows of quantities: what Lightning's callback and a plain loop's watch share."""

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from torch import Tensor, nn
from torch.optim import Optimizer

from gradflow.errors import ConfigError
from gradflow.measure.gradient_quantities import GradientQuantities, Means, windows
from gradflow.measure.gradient_record import GradientRecord, updated_by
from gradflow.measure.gradient_sites import ExecutionOrder, Order, gradient_sites
from gradflow.runs import tags

log = logging.getLogger(__name__)

FLUSH = 1000  # rows of an optimizer that stay on the device; then they are read, however long an epoch lasts


class Rows(NamedTuple):
    """Quantities at S steps: tags, steps, values (S, K), times."""

    tags: list[str]
    steps: list[int]
    values: np.ndarray
    times: list[float]


@dataclass(frozen=True)
class Wanted:
    """Which quantities are written, and how often.

    Attributes:
        norm: `grad_norm/<layer>` and `grad_norm/total`.
        rms: `grad_rms/<layer>`.
        abs_mean: `grad_abs_mean`.
        flow: `grad_flow/gain_per_layer`, `grad_flow/first_to_last`.
        every_n_steps: 1 writes every step, n the mean over n steps.

    Raises:
        ConfigError: if `every_n_steps` is under 1.
    """

    norm: bool = True
    rms: bool = True
    abs_mean: bool = True
    flow: bool = True
    every_n_steps: int = 1

    def __post_init__(self) -> None:
        if self.every_n_steps < 1:
            raise ConfigError(f"every_n_steps={self.every_n_steps}: needs at least 1, every step")

    def includes(self, tag: str) -> bool:
        """Whether a quantity is written."""
        groups = {tags.GRAD_NORM: self.norm, tags.GRAD_RMS: self.rms, tags.GRAD_FLOW: self.flow}
        groups[tags.GRAD_ABS_MEAN] = self.abs_mean
        return groups[tags.of_any_optimizer(tag).partition("/")[0]]


@dataclass
class Measured:
    """Quantities by tag, over some of the steps.

    Attributes:
        first: at the first step.
        means: over the steps since the last `end_epoch`.
        abs_mean_sum: of `grad_abs_mean` over all steps, of which there were `steps`.
    """

    first: dict[str, float] = field(default_factory=dict)
    means: Means = field(default_factory=Means)
    abs_mean_sum: float = 0.0
    steps: int = 0

    def add(self, columns: Mapping[str, np.ndarray]) -> None:
        """Add at least one step."""
        self.means.add(columns)
        self.first = {tag: float(column[0]) for tag, column in columns.items()} | self.first
        if tags.GRAD_ABS_MEAN in columns:
            self.abs_mean_sum += float(columns[tags.GRAD_ABS_MEAN].sum())
            self.steps += len(columns[tags.GRAD_ABS_MEAN])


class GradientMeter:
    """Measures the gradients of a network whenever an optimizer is about to update some of its parameters.

    Rows stay on the device until they are taken. A layer is named when its first row is taken, by the order in which
    the network was executed until then.

    Args:
        network: its layers are the sites.
        wanted: what is written.
        values: where the quantities are added up.
        measured: the ids of the parameters that count; None for all that an optimizer updates.
        order: of execution, if it is known from before.
    """

    def __init__(
        self,
        network: nn.Module,
        wanted: Wanted,
        values: Measured,
        *,
        measured: Collection[int] | None = None,
        order: Order | None = None,
    ) -> None:
        self.values = values
        self.values.means = Means()
        self._network = network
        self._wanted = wanted
        self._measured = measured
        self._listener = ExecutionOrder(network) if order is None else None
        self._order = order
        self._optimizers: list[Optimizer | None] = []
        self._records: dict[int, GradientRecord] = {}  # by the place of their optimizer
        self._done: list[Rows] = []  # of parameters that have changed since

    @property
    def order(self) -> Order:
        """Of execution, as far as it was seen."""
        return self._order if self._order is not None else self._listener.order  # type: ignore[union-attr]

    def stop_listening(self) -> None:
        """Take the order of execution that was seen so far."""
        if self._listener is not None:
            self._listener.stop()

    def expect(self, optimizers: Sequence[Optimizer]) -> bool:
        """Say which optimizers will step; whether any has a parameter that counts."""
        groups = [[id(p) for group in one.param_groups for p in group["params"]] for one in optimizers]
        counted = [any(self._measured is None or p in self._measured for p in ids) for ids in groups]
        self._optimizers = [one if counts else None for one, counts in zip(optimizers, counted, strict=True)]
        return any(counted)

    def adopt(self, record: GradientRecord) -> None:
        """Read the steps of the only optimizer from a record that somebody else fills."""
        self._optimizers, self._records = [None], {0: record}

    def measure(self, optimizer: Optimizer, step: int, *, scale: Tensor | None = None) -> bool:
        """Add a row of what this optimizer is about to update; whether there is anything that counts.

        Args:
            optimizer: any.
            step: how many steps were made before.
            scale: by what factor the gradients are too large, in mixed precision.
        """
        parameters = updated_by(optimizer, self._measured)
        if not parameters:
            return False
        if not any(one is optimizer for one in self._optimizers):
            self._optimizers.append(optimizer)
        number = next(i for i, one in enumerate(self._optimizers) if one is optimizer)
        record = self._records.get(number)
        if record is None or not record.holds(parameters):
            if record is not None:  # layers were frozen or unfrozen
                self._done += self._take(number, record, len(record))
            record = self._records[number] = GradientRecord(parameters, abs_sums=self._wanted.abs_mean)
        record.append(step, scale=scale)
        return True

    def is_full(self) -> bool:
        """Whether rows should be taken before memory runs short."""
        return any(len(record) >= FLUSH for record in self._records.values())

    def take(self, *, whole_windows: bool = False) -> list[Rows]:
        """The rows of each optimizer since the last call.

        Args:
            whole_windows: leave the steps of a window of `every_n_steps` that has not ended.
        """
        taken, self._done = self._done, []
        for number, record in self._records.items():
            every = self._wanted.every_n_steps if whole_windows else 1
            taken += self._take(number, record, len(record) // every * every)
        return taken

    def end_epoch(self) -> None:
        """Let means begin anew."""
        self.values.means = Means()

    def _take(self, number: int, record: GradientRecord, rows: int) -> list[Rows]:
        steps, times, values = record.take(rows)
        if not len(steps):
            return []
        columns = self._quantities(number, record).of(*record.split(values))
        self.values.add(columns)
        wanted = [tag for tag in columns if self._wanted.includes(tag)]
        if not wanted:
            return []
        every = self._wanted.every_n_steps
        averaged = np.stack([windows(columns[tag], tag, every) for tag in wanted], axis=1)
        last = [min(i + every, len(steps)) - 1 for i in range(0, len(steps), every)]
        return [Rows(wanted, steps[last].tolist(), averaged, times[last].tolist())]

    @property
    def has_sites(self) -> bool:
        """Whether any of the parameters seen so far is a weight of a site."""
        return any(self._quantities(number, record).sites for number, record in self._records.items())

    def _quantities(self, number: int, record: GradientRecord) -> GradientQuantities:
        several = sum(one is not None for one in self._optimizers) > 1
        updates = Counter(id(p) for one in self._records.values() for p in one.parameters)
        return GradientQuantities(
            record.parameters,
            gradient_sites(self._network, self.order),
            optimizer=number if several else None,
            shared=frozenset(parameter for parameter, count in updates.items() if count > 1),
        )
