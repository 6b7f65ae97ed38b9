"""The textbook script: an MLP on MNIST under Adam, with the gradient norm of every batch, as a student writes it.

    python tests/benchmarks/textbook_mnist_adam.py --activation relu --epochs 3

A yardstick of `speed.py`. Everything in it is common practice: torchvision's data set with its transforms, a
DataLoader with its defaults, `.item()` where a number is needed. Each epoch prints one line that ends in its seconds.
"""

import argparse
import time

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}


class MLP(nn.Module):
    """784-256-128-10."""

    def __init__(self, activation: type[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(784, 256),
            activation(),
            nn.Linear(256, 128),
            activation(),
            nn.Linear(128, 10),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


def gradient_norm(model: nn.Module) -> float:
    """Euclidean norm over all parameters."""
    total = 0.0
    for p in model.parameters():
        if p.grad is not None:
            total += p.grad.norm(2).item() ** 2
    return total**0.5


def train_epoch(
    model: nn.Module, loader: DataLoader, criterion: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[list[float], list[float], float]:
    """Losses and gradient norms of all batches, and the training accuracy."""
    model.train()
    losses, norms, correct, total = [], [], 0, 0
    for images, labels in loader:
        optimizer.zero_grad()
        outputs = model(images)
        loss = criterion(outputs, labels)
        loss.backward()
        norms.append(gradient_norm(model))
        optimizer.step()

        losses.append(loss.item())
        correct += (outputs.argmax(dim=1) == labels).sum().item()
        total += labels.size(0)
    return losses, norms, correct / total


def evaluate(model: nn.Module, loader: DataLoader) -> float:
    """Accuracy."""
    model.eval()
    correct, total = 0, 0
    with torch.no_grad():
        for images, labels in loader:
            outputs = model(images)
            correct += (outputs.argmax(dim=1) == labels).sum().item()
            total += labels.size(0)
    return correct / total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--activation", choices=ACTIVATIONS, default="relu")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--data-dir", default="data", help="folder with MNIST in torchvision's layout")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    train_set = datasets.MNIST(args.data_dir, train=True, download=True, transform=transform)
    test_set = datasets.MNIST(args.data_dir, train=False, download=True, transform=transform)
    train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=1000)

    model = MLP(ACTIVATIONS[args.activation])
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(1, args.epochs + 1):
        start = time.perf_counter()
        losses, norms, accuracy = train_epoch(model, train_loader, criterion, optimizer)
        test_accuracy = evaluate(model, test_loader)
        seconds = time.perf_counter() - start
        loss, norm = sum(losses) / len(losses), sum(norms) / len(norms)
        print(
            f"epoch {epoch}: loss {loss:.4f}, accuracy {accuracy:.4f}, test accuracy {test_accuracy:.4f}, "
            f"gradient norm {norm:.4f}, seconds {seconds:.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
