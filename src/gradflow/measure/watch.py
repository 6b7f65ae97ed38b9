"""The monitors' numbers in a plain PyTorch loop, without Lightning."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from torch import distributed, nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils.tensorboard import SummaryWriter

from gradflow.errors import ConfigError
from gradflow.measure.gradient_meter import GradientMeter, Measured, Rows, Wanted
from gradflow.measure.unit_pass import UnitPass
from gradflow.runs.scalars import write_to_summary

log = logging.getLogger(__name__)


class Curve(NamedTuple):
    """One quantity: steps int64 of shape (S,), values float64 of shape (S,)."""

    steps: np.ndarray
    values: np.ndarray


class Watch:
    """Measures a network's gradients at every step of its optimizers, and its units where it is validated.

    Made by `gradflow.watch`. A context manager: on leaving it, it is closed.
    """

    def __init__(
        self,
        network: nn.Module,
        optimizers: Sequence[Optimizer],
        wanted: Wanted,
        *,
        units: Mapping[str, int | None] | None = None,
        writer: SummaryWriter | None = None,
    ) -> None:
        if _is_sharded(network):
            raise ConfigError(
                "watch: the network is sharded, so each process has a part of every gradient and norms would be wrong; "
                "use DistributedDataParallel"
            )
        self._network = network
        self._writer = writer
        self._meter = GradientMeter(network, wanted, Measured(), measured={id(p) for p in network.parameters()})
        self._unit_pass = UnitPass(network, units=units)
        self._rows: list[Rows] = []
        self._steps = 0
        if optimizers and not self._meter.expect(optimizers):
            raise ConfigError(f"watch: no optimizer has a parameter of {type(network).__name__}; give those that do")
        self._handles = [one.register_step_pre_hook(self._before_step) for one in optimizers]
        self._handles = self._handles or [register_optimizer_step_pre_hook(self._before_step)]

    @property
    def step(self) -> int:
        """How many steps the network's optimizers have made so far, all together."""
        return self._steps

    @contextmanager
    def validation(self) -> Iterator[None]:
        """Around a pass over the validation set, in evaluation mode: dead, low-slope and dormant units at this step."""
        with self._unit_pass:
            yield
        for remark in self._unit_pass.remarks():
            log.warning("watch: %s", remark)
        if values := self._unit_pass.values():
            self._keep(Rows(list(values), [self._steps], np.array([list(values.values())]), [time.time()]))

    def results(self) -> dict[str, Curve]:
        """Everything measured so far, by tag; of several steps that are averaged, once there are enough."""
        self._take(whole_windows=bool(self._handles))
        points: dict[str, list[tuple[int, float]]] = {}
        for rows in self._rows:
            for tag, column in zip(rows.tags, rows.values.T, strict=True):
                points.setdefault(tag, []).extend(zip(rows.steps, column.tolist(), strict=True))
        defined = {tag: [point for point in found if np.isfinite(point[1])] for tag, found in points.items()}
        return {
            tag: Curve(np.array([step for step, _ in found], np.int64), np.array([value for _, value in found]))
            for tag, found in defined.items()
            if found
        }

    def close(self) -> None:
        """Measure no longer: remove the hooks, write what is left."""
        for handle in self._handles:
            handle.remove()
        self._handles = []
        self._take()

    def __enter__(self) -> "Watch":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _before_step(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        # A fused optimizer gets gradients as large as a GradScaler made them.
        if self._meter.measure(optimizer, self._steps, scale=getattr(optimizer, "grad_scale", None)):
            self._steps += 1
            if self._meter.is_full():
                self._take(whole_windows=True)

    def _take(self, *, whole_windows: bool = False) -> None:
        self._meter.stop_listening()  # layers keep the names under which they are written first
        for rows in self._meter.take(whole_windows=whole_windows):
            self._keep(rows)

    def _keep(self, rows: Rows) -> None:
        self._rows.append(rows)
        if self._writer is not None:
            write_to_summary(self._writer, *rows)


def watch(
    network: nn.Module,
    optimizer: Optimizer | Sequence[Optimizer] | None = None,
    *,
    units: Mapping[str, int | None] | None = None,
    every_n_steps: int = 1,
    norm: bool = True,
    rms: bool = True,
    abs_mean: bool = False,
    flow: bool = True,
    writer: SummaryWriter | None = None,
) -> Watch:
    """Measure a network in a training loop of your own.

        watch = gradflow.watch(network, optimizer)
        ...  # train; each optimizer.step() is measured
        with watch.validation():
            ...  # evaluate: dead and saturated units
        watch.results()["grad_norm/total"]  # steps and values

    Gradients are those that `optimizer.step()` uses: after clipping, where the loop clips before it. A step counts as
    one of the network's: with several optimizers each step of any counts. Layers are named by the order of execution
    up to the first `results`, or 1,000 steps.

    Args:
        network: any module.
        optimizer: what updates it, one or several; None for every optimizer that has one of its parameters.
        units: the axis of the units by pattern of paths, such as `{"features.*": -1}`, where layers do not say it.
        every_n_steps: average gradients over this many steps.
        norm: record `grad_norm/<layer>` and `grad_norm/total`.
        rms: record `grad_rms/<layer>`.
        abs_mean: record `grad_abs_mean`.
        flow: record `grad_flow/gain_per_layer` and `grad_flow/first_to_last`.
        writer: where to write too, every 1,000 steps and on `results` and `close`.

    Raises:
        ConfigError: if no optimizer has a parameter of the network, the network is sharded (FSDP, tensor parallel), or
            `every_n_steps` is under 1.
    """
    optimizers = [optimizer] if isinstance(optimizer, Optimizer) else list(optimizer or ())
    wanted = Wanted(norm=norm, rms=rms, abs_mean=abs_mean, flow=flow, every_n_steps=every_n_steps)
    return Watch(network, optimizers, wanted, units=units, writer=writer)


def _is_sharded(network: nn.Module) -> bool:
    """Whether a process has but a part of some parameter."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return False
    from torch.distributed.fsdp import FullyShardedDataParallel
    from torch.distributed.tensor import DTensor

    return any(isinstance(module, FullyShardedDataParallel) for module in network.modules()) or any(
        isinstance(parameter, DTensor) for parameter in network.parameters()
    )
