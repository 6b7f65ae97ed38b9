"""What the monitors cost on somebody else's network: a ResNet-18 on images of 32x32, with and without them.

    python tests/benchmarks/any_network.py                     # two minutes on two cores, or on the GPU there is
    python tests/benchmarks/any_network.py --batches 200 --rounds 9 --accelerator gpu --precision bf16-mixed

The same Trainer runs epochs of random images, in turns without monitors, with `gradflow.monitors()` and with its
gradient norms alone; each turn is a fit of two epochs, of which the second counts. Everything is written by Lightning's
TensorBoardLogger. Target: medians at most 5 % apart. Where other programs disturb the epochs, the last column is more
reliable: what share of the epoch passed inside the hooks of the gradient norms (on a GPU, of the time of the CPU).
"""

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any

import lightning as L
import machine
import tables
import torch
import torchvision
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import TensorBoardLogger
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import gradflow
from gradflow.callbacks import GradientNorms

TARGET = 1.05
HEADER = ("ResNet-18 on 32x32", "seconds per epoch (median, range)", "against without", "in the gradient norms' hooks")
WITHOUT = "without monitors"
VARIANTS: dict[str, Callable[[], list[Callback]]] = {
    WITHOUT: list,
    "gradient norms of every step": lambda: [ClockedNorms(abs_mean=False)],
    "gradflow.monitors()": gradflow.monitors,
    "gradflow.monitors(abs_mean=True)": lambda: gradflow.monitors(abs_mean=True),
}


class ClockedNorms(GradientNorms):
    """The gradient norms, with a clock around the hooks that are called in an epoch."""

    seconds = 0.0

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.seconds = 0.0

    def on_before_optimizer_step(self, *args: Any) -> None:
        with self._clock():
            super().on_before_optimizer_step(*args)

    def on_train_batch_end(self, *args: Any) -> None:
        with self._clock():
            super().on_train_batch_end(*args)

    def on_train_epoch_end(self, *args: Any) -> None:
        with self._clock():
            super().on_train_epoch_end(*args)

    @contextmanager
    def _clock(self) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - start


class Classifier(L.LightningModule):
    """What a tutorial would write; images stay on the device, so that no loader hides the monitors' cost."""

    def __init__(self, *, batches: int, batch_size: int) -> None:
        super().__init__()
        self.network = torchvision.models.resnet18(num_classes=10)
        self._batches, self._batch_size = batches, batch_size

    def setup(self, stage: str) -> None:
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(self._batches * self._batch_size, 3, 32, 32, generator=generator)
        y = torch.randint(10, (len(x),), generator=generator)
        device = self.trainer.strategy.root_device
        self._data = TensorDataset(x.to(device), y.to(device))

    def training_step(self, batch: list[torch.Tensor], batch_idx: int) -> torch.Tensor:
        x, y = batch
        return nn.functional.cross_entropy(self.network(x), y)

    def validation_step(self, batch: list[torch.Tensor], batch_idx: int) -> None:
        self.log("val_loss", self.training_step(batch, batch_idx))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.01, momentum=0.9)

    def train_dataloader(self) -> DataLoader:
        return DataLoader(self._data, batch_size=self._batch_size)

    def val_dataloader(self) -> DataLoader:
        """A tenth of the training set."""
        return DataLoader(TensorDataset(*self._data[: len(self._data) // 10]), batch_size=self._batch_size)


class Clock(Callback):
    """Seconds of each epoch, its validation and what monitors write included."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._start = _now()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.seconds.append(_now() - self._start)


def _now() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def epoch_seconds(callbacks: Sequence[Callback], args: argparse.Namespace) -> tuple[float, float]:
    """Of the second epoch, as the first one warms up; and those of them inside the hooks of clocked gradient norms."""
    torch.manual_seed(0)
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        trainer = L.Trainer(
            accelerator=args.accelerator,
            devices=1,
            precision=args.precision,
            max_epochs=2,
            num_sanity_val_steps=0,
            logger=TensorBoardLogger(folder),
            callbacks=[*callbacks, clock],  # the clock is last, and stops when the monitors have written
            enable_progress_bar=False,
            enable_model_summary=False,
            enable_checkpointing=False,
        )
        trainer.fit(Classifier(batches=args.batches, batch_size=args.batch_size))
    return clock.seconds[-1], sum(one.seconds for one in callbacks if isinstance(one, ClockedNorms))


def _row(name: str, turns: list[tuple[float, float]], base: float) -> list[str]:
    epochs = [epoch for epoch, _ in turns]
    inside = median(hooks / epoch for epoch, hooks in turns)
    shown = f"{median(epochs):.3f} ({min(epochs):.3f} to {max(epochs):.3f})"
    return [name, shown, f"{median(epochs) / base:.3f}", f"{inside:.1%}" if inside else ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each variant")
    parser.add_argument("--batches", type=int, default=None, help="of an epoch; on a CPU 10, on a GPU 200")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--accelerator", default="auto")
    parser.add_argument("--precision", default="32-true")
    args = parser.parse_args()
    on_gpu = torch.cuda.is_available() and args.accelerator != "cpu"
    args.batches = args.batches or (200 if on_gpu else 10)
    warnings.filterwarnings("ignore", ".*does not have many workers")
    warnings.filterwarnings("ignore", ".*smaller than the logging interval")
    turns: dict[str, list[tuple[float, float]]] = {name: [] for name in VARIANTS}
    for _ in range(args.rounds):
        for name, make in VARIANTS.items():
            turns[name].append(epoch_seconds(make(), args))
    base = median(epoch for epoch, _ in turns[WITHOUT])
    rows = [_row(name, seconds, base) for name, seconds in turns.items()]
    device = torch.cuda.get_device_name() if on_gpu else "CPU"
    setting = f"{args.batches} batches of {args.batch_size}, {args.precision}, on {device}; target {TARGET}."
    tables.publish("any_network", f"{machine.caption()}\n{setting}\n\n{tables.markdown(HEADER, rows)}")


if __name__ == "__main__":
    main()
