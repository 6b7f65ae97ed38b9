"""The textbook script for colour images: a stack of Conv-BatchNorm-activation under Adam, float32, default layout.

    python tests/benchmarks/textbook_cifar_conv.py --blocks 8 --steps 5

A yardstick of `speed.py`, like `textbook_mnist_adam.py`. It trains on random images of CIFAR-10's shape, because the
arithmetic takes just as long whatever the images show. Each step prints one line that ends in its seconds.
"""

import argparse
import time

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "relu": nn.ReLU}


class ConvNet(nn.Module):
    """A stem, `blocks` blocks of the same width, global average pooling, a linear head."""

    def __init__(self, blocks: int, activation: type[nn.Module], channels: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for i in range(blocks + 1):
            layers += [
                nn.Conv2d(3 if i == 0 else channels, channels, kernel_size=3, padding=1),
                nn.BatchNorm2d(channels),
                activation(),
            ]
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(channels, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.pool(self.features(x)).flatten(1))


def gradient_norm(model: nn.Module) -> float:
    """Euclidean norm over all parameters."""
    total = 0.0
    for p in model.parameters():
        if p.grad is not None:
            total += p.grad.norm(2).item() ** 2
    return total**0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--activation", choices=ACTIVATIONS, default="relu")
    parser.add_argument("--blocks", type=int, default=8)
    parser.add_argument("--steps", type=int, default=391, help="one epoch of CIFAR-10 has 391")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,) * 3, (0.5,) * 3)])
    train_set = datasets.FakeData(args.steps * 128, (3, 32, 32), num_classes=10, transform=transform)
    train_loader = DataLoader(train_set, batch_size=128, shuffle=True)

    model = ConvNet(args.blocks, ACTIVATIONS[args.activation])
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    correct, total = 0, 0
    model.train()
    start = time.perf_counter()
    for step, (images, labels) in enumerate(train_loader, start=1):
        optimizer.zero_grad()
        outputs = model(images)
        loss = criterion(outputs, labels)
        loss.backward()
        norm = gradient_norm(model)
        optimizer.step()

        correct += (outputs.argmax(dim=1) == labels).sum().item()
        total += labels.size(0)
        now = time.perf_counter()
        print(
            f"step {step}: loss {loss.item():.4f}, accuracy {correct / total:.4f}, gradient norm {norm:.4f}, "
            f"seconds {now - start:.4f}",
            flush=True,
        )
        start = now


if __name__ == "__main__":
    main()
