"""What one training step computes and moves: FLOPs, bytes, and how long the GPU is at work."""

from typing import Any, NamedTuple

import torch
from gpu_runs import composed, conv, wait_for
from gpu_settings import Settings
from torch import Tensor
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from gradflow.training import build
from gradflow.training.process import process_settings
from gradflow.training.trained_network import TrainedNetwork

PROFILED = 10  # steps


class Costs(NamedTuple):
    """Of a step: FLOPs, bytes, and seconds in which kernels run; None on a CPU."""

    flops: float
    bytes: float
    busy_s: float | None


class Traffic(TorchDispatchMode):
    """Adds up the bytes of what every operation reads and writes; views move nothing.

    Attributes:
        bytes: so far.
    """

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if not (func.is_view or "empty" in str(func) or "detach" in str(func)):
            tensors = [one for one in tree_leaves((args, kwargs or {}, result)) if isinstance(one, Tensor)]
            self.bytes += sum(one.numel() * one.element_size() for one in tensors)
        return result


def step_costs(settings: Settings, *, blocks: int, precision: str) -> Costs:
    """Of a step of the conv stack: forward, backward and Adam's update, without monitors."""
    size = settings.size
    cfg = composed(*conv(settings, 2 * size.batch, blocks=blocks, precision=precision))
    with process_settings(cfg):
        data = build.data(cfg)
        module = build.module(cfg, data).to(settings.device)
        context = TrainedNetwork(module.network, data.preparation, cfg=cfg, epoch=0).train().precision.forward_context
        optimizer: Any = module.configure_optimizers()
        x = torch.randn(size.batch, *data.input_shape, device=settings.device)
        y = torch.randint(data.num_outputs, (size.batch,), device=settings.device)

        def step() -> None:
            with context():
                loss = module.task.loss(module.network(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

        step()  # makes Adam's averages
        with FlopCounterMode(display=False) as counted:
            step()
        with Traffic() as moved:
            step()
        busy = _kernel_seconds(step) if settings.device == "cuda" else None
    return Costs(counted.get_total_flops(), moved.bytes, busy)


def _kernel_seconds(step: Any) -> float:
    for _ in range(3):
        step()
    wait_for("cuda")
    with profile(activities=[ProfilerActivity.CUDA]) as profiled:
        for _ in range(PROFILED):
            step()
        wait_for("cuda")
    return sum(one.self_device_time_total for one in profiled.key_averages()) / 1e6 / PROFILED
