"""Whether gradflow computes on a GPU what float64 computes on a CPU."""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.distributed as dist
from gpu_findings import Check
from gpu_runs import QUIET, Trained, composed, conv, train
from gpu_settings import Settings, Work
from torch import Tensor, nn
from torch.nn import functional as F

from gradflow.measure.batch_norm import recompute, statistics
from gradflow.measure.gradients import gradient_row
from gradflow.measure.unit_pass import UnitPass
from gradflow.training import build
from gradflow.training.process import process_settings

STEPS = 3  # of training that are compared with float64
PLAIN = ("optimizer=sgd", *QUIET)  # under Adam the smallest gradient counts as much as the largest, and so its rounding
GRADIENTS = ("grad_norm/", "grad_rms/", "grad_abs_mean")
UNITS = ("dead_units/", "low_slope/", "dormant_units/")
# Largest relative deviation of a layer's gradient norm, a step's loss, the change of all weights together, and the
# largest difference of a fraction of units. On a CPU the full shapes gave 1.2e-4, 3e-7, 1e-3 and 7e-7 in float32, and
# 9e-3, 4e-5, 3e-2 and 1e-4 in bf16; TF32 keeps three bits more than bf16, so an eighth of that is to be expected.
BOUNDS = {
    "32": {"gradient": 1e-3, "loss": 1e-5, "update": 5e-3, "units": 2e-3},
    "tf32": {"gradient": 1.25e-2, "loss": 1e-3, "update": 2.5e-2, "units": 1e-2},
    "bf16": {"gradient": 5e-2, "loss": 1e-2, "update": 1e-1, "units": 4e-2},
}
WHY = {
    "32": "the order of sums alone differs, and what it does to ReLU at its kink",
    "tf32": "products of 10-bit mantissas: a quarter of what bf16 may be off",
    "bf16": "products of 7-bit mantissas, rounded once more in each layer",
}
ORDER = "the order of sums alone differs"
PARTS = {
    "gradient": "norm, rms and absolute mean of every layer's gradient",
    "loss": "loss of every step",
    "update": "change of all weights together",
    "units": "dead, low-slope and dormant units",
}
ROUNDED = 1e-5  # relative, of a float32 sum of float64 accumulators or of a pairwise sum


def three_steps(settings: Settings) -> Iterator[Check]:
    """Training of the conv stack and of the MLP in each precision, against float64 on the CPU."""
    size = settings.size
    sets = {
        "conv stack": (*conv(settings, STEPS * size.batch, blocks=size.checked_depth), "batch_norm=recomputed"),
        "MLP": (settings.trainer, "model=mlp", "width=64", "blocks=4", "data.batch_size=399"),
    }
    for name, overrides in sets.items():
        overrides = (*overrides, *PLAIN, "trainer.max_epochs=1")
        exact = train(settings, f"exact {name}", (*overrides, "trainer=cpu", "precision=64"))
        for precision, bounds in BOUNDS.items():
            found = train(settings, f"{precision} {name}", (*overrides, f"precision={precision}"))
            for part, value in _deviations(found, exact).items():
                yield Check(
                    f"{name}, {STEPS} steps, precision={precision}: {PARTS[part]}", value, bounds[part], WHY[precision]
                )


def _deviations(found: Trained, exact: Trained) -> dict[str, float]:
    gradients = [tag for tag in exact.values if tag.startswith(GRADIENTS)]
    units = [tag for tag in exact.values if tag.startswith(UNITS)]
    assert len(exact.values[gradients[0]]) == STEPS
    assert gradients
    assert units
    change, difference = exact.update, found.update - exact.update
    return {
        "gradient": max(float(abs(found.values[tag] / exact.values[tag] - 1).max()) for tag in gradients),
        "loss": float(abs(found.values["train/loss_step"] / exact.values["train/loss_step"] - 1).max()),
        "update": float(difference.norm() / change.norm()),
        "units": max(float(abs(found.values[tag] - exact.values[tag]).max()) for tag in units),
    }


def norms(settings: Settings) -> Iterator[Check]:
    """Norms and absolute sums of gradients of any size, of 1e-30 as of 1e15, in float32 and bfloat16."""
    generator = torch.Generator().manual_seed(0)
    for dtype in (torch.float32, torch.bfloat16):
        exact, parameters = [], []
        for shape, scale in (((10,), 1e-30), ((64, 64, 3, 3), 1.0), ((2**22,), 1e-6), ((128, 256), 1e15)):
            gradient = (torch.randn(shape, generator=generator, dtype=torch.float64) * scale).to(dtype)
            parameter = nn.Parameter(torch.zeros(shape, dtype=dtype, device=settings.device))
            parameter.grad = gradient.to(settings.device)
            parameters.append(parameter)
            exact.append((float(gradient.double().norm()), float(gradient.double().abs().sum())))
        found = [row.tolist() for row in gradient_row(parameters, abs_sums=True)]
        for number, what in enumerate(("norms", "absolute sums")):
            worst = max(abs(one / expected[number] - 1) for one, expected in zip(found[number], exact, strict=True))
            yield Check(
                f"gradients from 1e-30 to 1e15, {dtype}: {what}",
                worst,
                ROUNDED,
                "one rounding to float32 after the sum",
            )


class Functions(nn.Module):
    """Anybody's network: activations as functions and in place, some of whose units are dead by their bias."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = nn.Conv2d(3, 16, 3), nn.Linear(16, 16), nn.Linear(16, 16)
        with torch.no_grad():
            for layer, bias in ((self.first, -1e3), (self.second, 1e3), (self.third, -1e3)):
                layer.bias[:5] = bias  # where ReLU is 0, and tanh is 1

    def forward(self, x: Tensor) -> Tensor:
        pooled = F.relu(self.first(x)).mean((2, 3))
        return self.third(torch.tanh(self.second(pooled))).relu_()

    @torch.no_grad()
    def dead(self, x: Tensor) -> list[float]:
        """The fraction of dead units of each activation, by the definition."""
        first = self.first(x)
        second = self.second(first.clamp(min=0).mean((2, 3)))
        third = self.third(second.tanh())
        flags = ((first <= 0).all(3).all(2).all(0), (1 - second.tanh() ** 2 <= 1e-6).all(0), (third <= 0).all(0))
        return [float(one.double().mean()) for one in flags]


def units(settings: Settings) -> Iterator[Check]:
    """Dead units by their definition, the other statistics against those of float64 on the CPU."""
    torch.manual_seed(0)
    network = Functions().eval()
    x = torch.randn(64, 3, 8, 8, generator=_generator(1))
    wide = copy.deepcopy(network).double()
    exact, by_hand = _unit_values(wide, x.double()), wide.dead(x.double())
    assert min(by_hand) >= 5 / 16
    found = _unit_values(network.to(settings.device), x.to(settings.device))
    dead = [value for tag, value in sorted(found.items()) if tag.startswith("dead_units/") and "total" not in tag]
    wrong = max(abs(one - other) for one, other in zip(dead, by_hand, strict=True))
    yield Check("dead units of ReLU, tanh and an in-place ReLU as functions", wrong, 0.0, "counted by the definition")
    worst = max(abs(found[tag] - value) for tag, value in exact.items())
    yield Check("low-slope and dormant units of the same network", worst, 1 / (64 * 16), "one entry on the threshold")


@torch.no_grad()
def _unit_values(network: nn.Module, x: Tensor) -> dict[str, float]:
    unit_pass = UnitPass(network)
    with unit_pass:
        network(x)
    assert not unit_pass.remarks()
    return unit_pass.values()


def recomputed(settings: Settings) -> Iterator[Check]:
    """Batch normalisation's statistics from the same batches, against float64 on the CPU; SyncBatchNorm's too."""
    size = settings.size
    cfg = composed(*conv(settings, STEPS * size.batch, blocks=size.checked_depth))
    data = build.data(cfg)
    network = build.network(cfg, data).eval()
    batches = [torch.randn(size.batch, *data.input_shape, generator=_generator(seed)) for seed in range(2)]
    exact = _statistics(copy.deepcopy(network).double(), [x.double() for x in batches])
    on_device = [x.to(settings.device) for x in batches]
    with process_settings(cfg), _group_of_one(settings):
        synchronised = nn.SyncBatchNorm.convert_sync_batchnorm(copy.deepcopy(network)).to(settings.device)
        network = network.to(settings.device)
        for name, one in (("BatchNorm", network), ("SyncBatchNorm, one process", synchronised)):
            found = _statistics(one, on_device)
            worst = max(
                float(((found[key] - value) / exact[_variance(key)].sqrt()).abs().max()) for key, value in exact.items()
            )
            yield Check(f"recomputed statistics of {name}, in standard deviations", worst, 1e-4, ORDER)
        (ours, theirs) = (_trained_once(one, on_device[0]) for one in (network, synchronised))
        worst = max(float((a - b).norm() / b.norm()) for a, b in zip(theirs, ours, strict=True))
        yield Check("gradients through SyncBatchNorm of one process against BatchNorm", worst, 1e-4, ORDER)


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _variance(key: str) -> str:
    return key.replace("running_mean", "running_var")


def _statistics(network: nn.Module, batches: Sequence[Tensor]) -> dict[str, Tensor]:
    recompute(network, batches)
    return {key: value.double().cpu() for key, value in statistics(network).items() if "num_batches" not in key}


def _trained_once(network: nn.Module, x: Tensor) -> list[Tensor]:
    """The gradient of every weight matrix; a bias in front of batch normalisation has none but rounding."""
    network.train()
    network.zero_grad()
    network(x).square().mean().backward()
    network.eval()
    return [p.grad for p in network.parameters() if p.grad is not None and p.dim() > 1]


@contextmanager
def _group_of_one(settings: Settings) -> Iterator[None]:
    """A group of one process, which SyncBatchNorm asks for; on a CPU it refuses to work with one."""
    if settings.device != "cuda":
        yield
        return
    dist.init_process_group("nccl", store=dist.HashStore(), rank=0, world_size=1)
    try:
        yield
    finally:
        dist.destroy_process_group()


WORK: list[tuple[str, float, Work]] = [
    ("gradient norms", 5, norms),
    ("unit statistics", 5, units),
    ("recomputed batch normalisation", 10, recomputed),
    ("three steps of training", 30, three_steps),
]
