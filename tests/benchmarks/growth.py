"""How the seconds and memory of a run grow with its network's depth and width.

    make bench

Next to the exponent of the seconds (least squares of log seconds on log size) is that of the arithmetic: where the
former is far below the latter, something other than the layers takes the time. Growth with the number of runs in a
study is in `study_report.py`.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import machine
import numpy as np
import tables
from benchmark_data import mnist_folder
from comparison_rows import Measurement, of_epochs, undisturbed
from settings import Settings
from torch import nn, ones
from torch.utils.flop_counter import FlopCounterMode

from gradflow.models.conv import ConvStack
from gradflow.models.mlp import MLP

HEADER = (
    "network",
    "grows",
    "seconds of the fastest epoch",
    "peak MiB",
    "seconds grow as size to the power",
    "arithmetic to the power",
)
EPOCHS = 5  # three without the first two
CONV = ("model=conv", "data=digits")
DENSE = ("model=mlp", "data=mnist")
BLOCKS, WIDTHS = (1, 2, 4, 8), (16, 32, 64, 128)


@dataclass(frozen=True)
class Growth:
    """One size that varies.

    Attributes:
        network: its name in the table.
        what: the size's name in the table.
        sizes: its values, increasing.
        overrides: of train.py, for a size.
        flops: of a training step, or anything proportional to them, for a size.
    """

    network: str
    what: str
    sizes: Sequence[int]
    overrides: Callable[[int], Sequence[str]]
    flops: Callable[[int], float]


def conv_flops(*, blocks: int = 4, width: int = 64) -> float:
    return step_flops(ConvStack((1, 8, 8), 10, nn.ReLU, blocks=blocks, width=width), (1, 8, 8))


def mlp_flops(*, blocks: int = 2, width: int = 128) -> float:
    return step_flops(MLP((1, 28, 28), 10, nn.ReLU, blocks=blocks, width=width), (1, 28, 28))


def step_flops(network: nn.Module, input_shape: tuple[int, ...]) -> float:
    """Floating-point operations of the products and convolutions, forward and backward, for two samples."""
    with FlopCounterMode(display=False) as counter:
        network(ones(2, *input_shape)).sum().backward()
    return float(counter.get_total_flops())


GROWTHS = (
    Growth("conv, digits", "blocks", BLOCKS, lambda n: (*CONV, f"blocks={n}"), lambda n: conv_flops(blocks=n)),
    Growth("conv, digits", "width", WIDTHS, lambda n: (*CONV, f"width={n}"), lambda n: conv_flops(width=n)),
    Growth(
        "MLP, MNIST", "blocks", BLOCKS, lambda n: (*DENSE, "width=128", f"blocks={n}"), lambda n: mlp_flops(blocks=n)
    ),
    Growth("MLP, MNIST", "width", WIDTHS, lambda n: (*DENSE, "blocks=2", f"width={n}"), lambda n: mlp_flops(width=n)),
)


def exponent(sizes: Sequence[int], values: Sequence[float]) -> float:
    """Slope of log value on log size by least squares."""
    return float(np.polyfit(np.log(sizes), np.log(values), deg=1)[0])


def measure(settings: Settings, overrides: Sequence[str]) -> Measurement:
    return of_epochs(settings.train(*overrides, "activation=relu", f"trainer.max_epochs={EPOCHS}"))


def row(growth: Growth, settings: Settings) -> list[str]:
    seconds, memory = [], []
    for size in growth.sizes:
        print(f"{growth.network}: {growth.what} {size}", file=sys.stderr, flush=True)
        measured = undisturbed(partial(measure, settings, growth.overrides(size)))
        seconds.append(min(measured.seconds))  # disturbances make an epoch slower, never faster
        memory.append(measured.process.peak_mib)
    listed = ", ".join(f"{size}: {value:.2f}" for size, value in zip(growth.sizes, seconds, strict=True))
    peaks = ", ".join(f"{value:.0f}" for value in memory)
    arithmetic = exponent(growth.sizes, [growth.flops(size) for size in growth.sizes])
    return [growth.network, growth.what, listed, peaks, f"{exponent(growth.sizes, seconds):.2f}", f"{arithmetic:.2f}"]


def main() -> None:
    with mnist_folder() as (data_dir, described):
        settings = Settings(data_dir, Path(), threads=machine.threads(), rounds=1)
        rows = [row(growth, settings) for growth in GROWTHS]
    tables.publish("growth", f"Growth. {machine.caption()} {described}\n\n{tables.markdown(HEADER, rows)}")


if __name__ == "__main__":
    main()
