"""What the monitors need of the module that they look at."""

from collections.abc import Callable
from typing import Protocol, cast

import lightning as L
from torch import Tensor, nn

from gradflow.data.loader import Batch
from gradflow.measure.scores import Pass, Task
from gradflow.measure.steps import StepTable


class MeasuredModule(Protocol):
    """A module that measures each step's gradient itself, and can score a network on a batch.

    Attributes:
        steps: the loss and the gradient norms of each step; their absolute sums too, if asked for.
        keeps_abs_sums: whether they are asked for.
        trained: the tensors whose gradients they are.
    """

    network: nn.Module
    task: Task
    steps: StepTable
    keeps_abs_sums: bool
    trained: list[nn.Parameter]

    def loss(self, batch: Batch, scores: Pass, network: Callable[[Tensor], Tensor]) -> Tensor:
        """The loss of a batch, noted among the scores of a pass."""


def as_measured(module: L.LightningModule) -> MeasuredModule:
    """The module as the monitors see it."""
    return cast(MeasuredModule, module)
