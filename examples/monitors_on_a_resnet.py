"""Gradient norms and dead units of a torchvision ResNet, written by Lightning's own CSV logger.

    python examples/monitors_on_a_resnet.py

A quarter of a minute on two cores. The two lines that matter are marked with an arrow.
"""

import csv
from pathlib import Path

import lightning as L
import torch
import torchvision
from lightning.pytorch.loggers import CSVLogger
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset, random_split

import gradflow  # <-


class ResNet(L.LightningModule):
    """A ResNet-18 for digits; nothing in it knows of gradflow."""

    def __init__(self) -> None:
        super().__init__()
        self.network = torchvision.models.resnet18(num_classes=10)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        x, y = batch
        return nn.functional.cross_entropy(self.network(x), y)

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        x, y = batch
        self.log("val_acc", (self.network(x).argmax(1) == y).float().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.05, momentum=0.9)


def digits() -> tuple[DataLoader, DataLoader]:
    """Handwritten digits as colour images of 16x16 pixels, for training and for validation."""
    images, labels = load_digits(return_X_y=True)
    x = torch.tensor(images, dtype=torch.float32).view(-1, 1, 8, 8) / 16
    x = nn.functional.interpolate(x, scale_factor=2).expand(-1, 3, -1, -1)
    train, validation, _ = random_split(TensorDataset(x, torch.tensor(labels)), [640, 320, len(x) - 960])
    return DataLoader(train, batch_size=32, shuffle=True), DataLoader(validation, batch_size=160)


def main() -> None:
    L.seed_everything(0)
    logger = CSVLogger("outputs", name="monitors_on_a_resnet")
    trainer = L.Trainer(max_epochs=2, logger=logger, callbacks=gradflow.monitors(), enable_checkpointing=False)  # <-
    trainer.fit(ResNet(), *digits())
    with (Path(logger.log_dir) / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    for tag in sorted(rows[0]):
        values = [float(row[tag]) for row in rows if row[tag]]
        if tag.startswith(("grad_rms/", "dead_units/")) and values:
            print(f"{tag:42} first {values[0]:.1e}   last {values[-1]:.1e}")


if __name__ == "__main__":
    main()
