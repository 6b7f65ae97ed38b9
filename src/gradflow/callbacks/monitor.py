"""The base class of monitors: callbacks that measure, and change nothing in training."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, cast

import lightning as L
from lightning.pytorch.callbacks import Callback
from torch import Tensor, nn

from gradflow.data.loader import Batch
from gradflow.errors import ConfigError, nearest
from gradflow.measure.scores import Pass, Task
from gradflow.measure.steps import StepTable
from gradflow.models.layers import Layer
from gradflow.runs.metrics import METRICS, Metric
from gradflow.runs.scalars import write


class Monitor(Callback):
    """Measures or shows something during training, declares what it measures, and reports the final values.

    Its metrics then reach TensorBoard, run.json, averages, comparisons and the report. To write your own, subclass it
    in a file of yours: set `declares`, and call `record` whenever there is something to record.

    Attributes:
        declares: the metrics that it records. Those that `gradflow.runs.metrics` does not list are stored in run.json,
            where the study tools find them.
        measures_initial_weights: whether it wants a validation pass before the first update.
        changes_training: whether training may end differently with it. Otherwise it is no part of a run's identity:
            with and without it a run has the same folder and is trained once.
        sees_chunks: whether it measures a training step of several updates too, in which Lightning calls no hook for a
            batch. A monitor with such hooks otherwise makes every step one update.
        run_config: the configuration of its run, as plain data; empty where gradflow's command did not make it.
        first: the first values that it recorded, by tag.
        latest: the last ones.
    """

    declares: Sequence[Metric] = ()
    measures_initial_weights: ClassVar[bool] = False
    changes_training: ClassVar[bool] = False
    sees_chunks: ClassVar[bool] = False
    run_config: Mapping[str, Any] = {}
    first: Mapping[str, float] = {}
    latest: Mapping[str, float] = {}

    def record(self, trainer: L.Trainer, values: Mapping[str, float]) -> None:
        """Write values by tag at the current step (the updates made so far), and remember them."""
        self.remember(values)
        write(trainer.loggers, values, trainer.global_step)

    def remember(self, values: Mapping[str, float]) -> None:
        """Keep values as the latest; `record` does so too."""
        self.first = self.first or dict(values)
        self.latest = dict(values)

    def final_metrics(self) -> Mapping[str, float]:
        """The values for run.json, by tag: the last ones recorded, unless a subclass says otherwise."""
        return self.latest

    def state_dict(self) -> dict[str, Any]:
        return {"first": self.first, "latest": self.latest}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.first, self.latest = state_dict["first"], state_dict["latest"]


def monitors_among(callbacks: Iterable[Callback]) -> list[Monitor]:
    """Those of the callbacks that are monitors."""
    return [callback for callback in callbacks if isinstance(callback, Monitor)]


def latest_values(callbacks: Iterable[Callback]) -> dict[str, float]:
    """What the monitors have recorded last, by tag."""
    return {tag: value for monitor in monitors_among(callbacks) for tag, value in monitor.latest.items()}


def first_values(callbacks: Iterable[Callback]) -> dict[str, float]:
    """What the monitors have recorded first, by tag."""
    return {tag: value for monitor in monitors_among(callbacks) for tag, value in monitor.first.items()}


def declared(callbacks: Iterable[Callback]) -> list[Metric]:
    """The metrics that monitors declare and the package does not list."""
    listed = {metric.tag for metric in METRICS}
    return [metric for monitor in monitors_among(callbacks) for metric in monitor.declares if metric.tag not in listed]


class MeasuredModule(Protocol):
    """What the monitors of this package need of the module that they look at.

    Attributes:
        network: with `layers` in forward order.
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


def measures_itself(module: L.LightningModule) -> bool:
    """Whether it is a module of this package, which records the gradient of each step."""
    return hasattr(module, "keeps_abs_sums")


def network_of(module: L.LightningModule, submodule: str | None = None) -> nn.Module:
    """The network that monitors look at.

    Args:
        module: anybody's module, or this package's, whose network is its `network`.
        submodule: the path of a part to look at instead, such as `generator`; None for all of it.

    Raises:
        ConfigError: if there is no such part.
    """
    if submodule is None:
        return as_measured(module).network if measures_itself(module) else module
    try:
        return module.get_submodule(submodule)
    except AttributeError:
        known = [name for name, _ in module.named_children()]
        raise ConfigError(
            f"submodule={submodule}: {type(module).__name__} has no such part{nearest(submodule, known)} "
            f"(parts: {', '.join(known)})"
        ) from None


def layers_of(module: L.LightningModule) -> list[Layer]:
    """The layers of a module's network in forward order, the head last."""
    return cast(list[Layer], as_measured(module).network.layers)
