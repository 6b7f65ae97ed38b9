"""The limit: the same work in plain PyTorch loops over tensors in memory, without a framework.

    python tests/benchmarks/bare_loops.py mlp --data-dir ~/.cache/gradflow --epochs 3       # experiment=mnist_adam
    python tests/benchmarks/bare_loops.py sgd --data-dir ~/.cache/gradflow --epochs 3       # experiment=mnist_sgd
    python tests/benchmarks/bare_loops.py conv --blocks 8 --precision bf16 --steps 10       # experiment=cifar10_depth

Each does what its experiment does and no more: batches cut from uint8 tensors in a fresh order every epoch, the loss
and the gradient norms of every step kept without waiting for them, fused optimizers, subnormal numbers flushed to zero,
a pass over the validation set. Each epoch, or step of `conv`, prints one line that ends in its seconds.
"""

import argparse
import itertools
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import torch
from bare_data import Batch, Part, mnist, random_images
from torch import Tensor, nn
from torch.nn import functional as F


def mlp(activation: Callable[[], nn.Module], widths: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(widths):
        layers += [nn.Linear(inputs, outputs), activation()]
    return nn.Sequential(*layers[:-1])


def conv_stack(blocks: int, channels: int = 64) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs in (3, *[channels] * blocks):
        layers += [nn.Conv2d(inputs, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


class Loop:
    """A network and its optimizer; the steps' results stay on the device until `finish`."""

    def __init__(self, network: nn.Module, optimizer: torch.optim.Optimizer, *, bf16: bool = False) -> None:
        self.network, self.optimizer, self.bf16 = network, optimizer, bf16
        self.parameters = list(network.parameters())
        self.losses: list[Tensor] = []
        self.norms: list[Tensor] = []

    def autocast(self) -> AbstractContextManager:
        return torch.autocast("cpu", torch.bfloat16) if self.bf16 else nullcontext()

    def step(self, x: Tensor, y: Tensor) -> None:
        with self.autocast():
            loss = F.cross_entropy(self.network(x), y)
        self.optimizer.zero_grad()
        loss.backward()
        self.norms += torch._foreach_norm([p.grad for p in self.parameters if p.grad is not None])
        self.optimizer.step()
        self.losses.append(loss.detach())

    @torch.no_grad()
    def evaluate(self, batches: Iterable[Batch]) -> tuple[float, float]:
        """Mean loss and accuracy."""
        self.network.eval()
        loss, correct, total = torch.zeros(()), torch.zeros((), dtype=torch.int64), 0
        for x, y in batches:
            outputs = self.network(x)
            loss += F.cross_entropy(outputs, y, reduction="sum")
            correct += (outputs.argmax(1) == y).sum()
            total += len(y)
        return float(loss) / total, float(correct) / total

    def finish(self) -> float:
        """Mean training loss; the epoch's losses and norms leave the device."""
        losses, norms = torch.stack(self.losses), torch.stack(self.norms)
        self.losses, self.norms = [], []
        assert len(norms) == len(losses) * len(self.parameters)
        return float(losses.mean())


def report(unit: str, number: int, scores: str, seconds: float) -> None:
    print(f"{unit} {number}: {scores}, seconds {seconds:.5f}", flush=True)


def train_epochs(loop: Loop, train: Part, validation: Part, *, batch_size: int, epochs: int) -> None:
    generator = np.random.default_rng(0)
    for epoch in range(1, epochs + 1):
        start = time.perf_counter()
        loop.network.train()
        for x, y in train.shuffled(batch_size, generator):
            loop.step(x, y)
        loss = loop.finish()
        val_loss, accuracy = loop.evaluate(validation.in_order())
        scores = f"loss {loss:.4f}, validation loss {val_loss:.4f}, accuracy {accuracy:.4f}"
        report("epoch", epoch, scores, time.perf_counter() - start)


def train_steps(loop: Loop, data: Part, *, batch_size: int) -> None:
    """Every step timed, without evaluation, in channels_last."""
    loop.network.train()
    start = time.perf_counter()
    for step, (x, y) in enumerate(data.shuffled(batch_size, np.random.default_rng(0)), start=1):
        loop.step(x.contiguous(memory_format=torch.channels_last), y)
        now = time.perf_counter()
        report("step", step, f"loss {float(loop.losses[-1]):.4f}", now - start)
        start = now


def run(args: argparse.Namespace) -> None:
    if args.loop == "conv":
        network = conv_stack(args.blocks).to(memory_format=torch.channels_last)
        loop = Loop(network, torch.optim.Adam(network.parameters(), fused=True), bf16=args.precision == "bf16")
        train_steps(loop, random_images(128 * args.steps), batch_size=128)
    elif args.loop == "sgd":
        network = mlp(nn.Sigmoid, (784, 128, 10))
        loop = Loop(network, torch.optim.SGD(network.parameters(), lr=0.01, fused=True))
        train_epochs(loop, *mnist(args.data_dir, lowest=0, held_out=6000), batch_size=32, epochs=args.epochs)
    else:
        network = mlp(nn.ReLU, (784, 256, 128, 10))
        loop = Loop(network, torch.optim.Adam(network.parameters(), fused=True))
        train_epochs(loop, *mnist(args.data_dir, lowest=-1), batch_size=64, epochs=args.epochs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("loop", choices=("mlp", "sgd", "conv"))
    parser.add_argument("--data-dir", type=Path, default=Path("data"), help="folder with MNIST in torchvision's layout")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--blocks", type=int, default=8, help="for conv")
    parser.add_argument("--steps", type=int, default=10, help="for conv")
    parser.add_argument("--precision", choices=("float32", "bf16"), default="float32", help="for conv")
    torch.manual_seed(0)
    torch.set_flush_denormal(True)
    run(parser.parse_args())


if __name__ == "__main__":
    main()
