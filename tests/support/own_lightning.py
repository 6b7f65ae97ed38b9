"""LightningModules and a LightningDataModule as users write them: `module._target_=own_lightning.NAME`."""

import random

import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset, random_split

SAMPLES, BATCH = 40, 8  # 20 to train on: two batches of 8 and one of 4


class Jittered(Dataset):
    """Samples with noise from every global generator, as augmentations draw it."""

    def __init__(self, samples):
        self.samples = samples

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        x, y = self.samples[index]
        return x + 0.01 * (torch.randn(5) + random.random() + np.random.standard_normal()).float(), y  # noqa: NPY002


class Streamed(IterableDataset):
    """The samples one after the other, without a length."""

    def __init__(self, samples):
        self.samples = samples

    def __iter__(self):
        yield from (self.samples[int(index)] for index in torch.randperm(len(self.samples)))


class Points(L.LightningDataModule):
    """Points in two classes; the split is drawn anew at each call of `setup`."""

    num_classes = 2

    def __init__(
        self,
        batch_size: int = BATCH,
        workers: int = 0,
        persistent: bool = False,
        own_generator: bool = False,
        streamed: bool = False,
    ):
        super().__init__()
        self.save_hyperparameters()

    def setup(self, stage: str) -> None:
        x = torch.randn(SAMPLES, 5, generator=torch.Generator().manual_seed(1))
        self.parts = random_split(TensorDataset(x, (x[:, 0] + x[:, 1] > 0).long()), [0.5, 0.25, 0.25])

    def train_dataloader(self):
        samples = Jittered(self.parts[0])
        if self.hparams.streamed:
            return DataLoader(Streamed(samples), self.hparams.batch_size)
        return DataLoader(
            samples,
            self.hparams.batch_size,
            shuffle=True,
            num_workers=self.hparams.workers,
            persistent_workers=self.hparams.persistent,
            generator=torch.Generator().manual_seed(3) if self.hparams.own_generator else None,
        )

    def val_dataloader(self):
        return DataLoader(self.parts[1], 5)

    def test_dataloader(self):
        return DataLoader(self.parts[2], 5)


class Classifier(L.LightningModule):
    """Logs in each of Lightning's ways."""

    def __init__(self, num_classes: int, activation=nn.ReLU, hidden: int = 6, lr: float = 0.02, spoil: int = -1):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Linear(5, hidden), activation(), nn.Dropout(0.3), nn.Linear(hidden, num_classes))

    def training_step(self, batch, batch_idx):
        x, y = batch
        outputs = self.net(x)
        loss = F.cross_entropy(outputs, y)
        if self.global_step == self.hparams.spoil:
            loss = loss * torch.nan
        self.log("train/loss", loss)
        self.log("train/acc", (outputs.argmax(1) == y).float().mean(), on_step=True, on_epoch=True)
        return loss

    def evaluate(self, batch, part):
        x, y = batch
        outputs = self.net(x)
        self.log(f"{part}/loss", F.cross_entropy(outputs, y))
        self.log(f"{part}/f1", (outputs.argmax(1) == y).float().mean(), on_step=True, on_epoch=True)

    def validation_step(self, batch, batch_idx):
        self.evaluate(batch, "val")

    def test_step(self, batch, batch_idx):
        self.evaluate(batch, "test")

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)


class Inherits(Classifier):
    """Hands on what it does not name."""

    def __init__(self, scale: float = 1.0, **options):
        super().__init__(**options)


class TwoOptimizers(L.LightningModule):
    """Manual optimization, two optimizers, no tests, and nothing that every part of gradflow expects."""

    def __init__(self, seed: int):
        super().__init__()
        self.automatic_optimization = False
        self.one, self.other = nn.Linear(5, 3), nn.Linear(3, 2)
        self.seed = seed

    def training_step(self, batch, batch_idx):
        x, y = batch
        optimizers = self.optimizers()
        for one in optimizers:
            one.zero_grad()
        loss = F.cross_entropy(self.other(self.one(x).tanh()), y)
        self.manual_backward(loss)
        for one in optimizers:
            one.step()
        self.log_dict({"g_loss": loss, "d_loss": 2 * loss})

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_score", (self.other(self.one(x).tanh()).argmax(1) == y).float().mean())

    def configure_optimizers(self):
        return [torch.optim.SGD(part.parameters(), lr=0.1) for part in (self.one, self.other)]


class Silent(Classifier):
    """Logs nothing."""

    def log(self, *arguments, **options):
        pass


class Closures(Classifier):
    """An optimizer that evaluates a batch several times for one update."""

    def configure_optimizers(self):
        return torch.optim.LBFGS(self.parameters())


class NoActivation(Classifier):
    """Has one activation only."""

    def __init__(self, num_classes: int, hidden: int = 6, lr: float = 0.02):
        super().__init__(num_classes, nn.Tanh, hidden, lr)


class Odd(Classifier):
    """Logs something whose name says nothing."""

    def validation_step(self, batch, batch_idx):
        self.log("val/quux", batch[0].mean())
