"""The gradients of what one optimizer updates, a row a step."""

from collections.abc import Collection, Sequence

import numpy as np
from torch import Tensor, nn
from torch.optim import Optimizer

from gradflow.measure.gradients import gradient_row
from gradflow.measure.steps import Steps, StepTable


class GradientRecord:
    """Rows of the norms, and if asked for of the absolute sums, of the gradients of T tensors.

    Args:
        parameters: the T tensors.
        abs_sums: whether their absolute sums are recorded too.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], *, abs_sums: bool) -> None:
        self.parameters = list(parameters)
        self._steps = StepTable()
        self._abs_sums = abs_sums

    def __len__(self) -> int:
        return len(self._steps)

    def append(self, step: int, *, scale: Tensor | None = None) -> None:
        """Record the gradients as they are, or divided by `scale`.

        Of a step at which an optimizer evaluates the gradient several times (LBFGS), the first one is recorded.
        """
        if step == self._steps.last_step:
            return
        row = gradient_row(self.parameters, abs_sums=self._abs_sums)
        self._steps.append(step, *(row if scale is None else [part / scale for part in row]))

    def holds(self, parameters: Sequence[nn.Parameter]) -> bool:
        """Whether these are its parameters."""
        return len(parameters) == len(self.parameters) and all(map(_same, self.parameters, parameters))

    def take(self, rows: int) -> Steps:
        """The first `rows` rows, which are then removed; without those that are not finite."""
        return _finite(self._steps.take(rows))

    def split(self, values: np.ndarray) -> list[np.ndarray]:
        """Norms and, if recorded, absolute sums, each of shape (S, T), from the values of S steps."""
        return np.split(values, 2 if self._abs_sums else 1, axis=1)


class RecordOfModule(GradientRecord):
    """What a module of this package records itself, in a table whose first column is the loss.

    Args:
        steps: the table, which the module clears.
        parameters: the tensors whose gradients it has.
        abs_sums: whether it has their absolute sums.
        measured: the ids of the parameters that count.
    """

    def __init__(
        self, steps: StepTable, parameters: Sequence[nn.Parameter], *, abs_sums: bool, measured: Collection[int]
    ) -> None:
        self._places = [i for i, parameter in enumerate(parameters) if id(parameter) in measured]
        super().__init__([parameters[i] for i in self._places], abs_sums=abs_sums)
        self._steps = steps

    def take(self, rows: int) -> Steps:
        """All rows, which stay where they are."""
        return _finite(self._steps.read())

    def split(self, values: np.ndarray) -> list[np.ndarray]:
        return [part[:, self._places] for part in super().split(values[:, 1:])]


def updated_by(optimizer: Optimizer, measured: Collection[int] | None = None) -> list[nn.Parameter]:
    """The parameters that an optimizer updates and that are not frozen.

    Args:
        optimizer: any.
        measured: the ids of those that count; None for all.
    """
    found = (p for group in optimizer.param_groups for p in group["params"] if p.requires_grad)
    return [p for p in found if measured is None or id(p) in measured]


def _same(one: nn.Parameter, other: nn.Parameter) -> bool:
    return one is other


def _finite(rows: Steps) -> Steps:
    """Without the step that diverged, and those that an accelerator ran after it."""
    finite = np.isfinite(rows.values).all(axis=1) if len(rows.steps) else np.zeros(0, bool)
    return Steps(rows.steps[finite], rows.times[finite], rows.values[finite])
