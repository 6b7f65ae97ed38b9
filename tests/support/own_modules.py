"""LightningModules as other people write them, and what trains them."""

import lightning as L
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SAMPLES = 24
_X = torch.randn(SAMPLES, 3, 8, 8, generator=torch.Generator().manual_seed(0))
_Y = torch.arange(SAMPLES) % 3


def loader(*, samples=SAMPLES, batch_size=5, **options):
    """Images of 3 x 8 x 8 and their classes, three of them."""
    return DataLoader(TensorDataset(_X[:samples], _Y[:samples]), batch_size=batch_size, **options)


class Net(nn.Module):
    """Conv, normalisation, a functional ReLU, dropout, a linear head; two of six channels are dead."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.Linear(6, 3)
        with torch.no_grad():
            self.norm.bias[:2] = -100

    def forward(self, x):
        x = F.relu(self.norm(self.conv(x)))
        return self.head(F.dropout(x.mean((2, 3)), training=self.training))


class Classifier(L.LightningModule):
    """Logs by `self.log`, and predicts by a sigmoid that is no hidden unit."""

    def __init__(self, network=None, lr=0.1):
        super().__init__()
        self.network = Net() if network is None else network
        self.lr = lr
        self.scores = []
        self.seen = []

    def forward(self, x):
        return self.network(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        self.seen.append(x[:, 0, 0, 0].tolist())
        loss = F.cross_entropy(self(x), y)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx, dataloader_idx=0):
        x, y = batch
        outputs = self(x)
        torch.sigmoid(outputs)
        loss = F.cross_entropy(outputs, y)
        self.scores.append(float(loss))
        self.log("val_loss", loss, batch_size=len(y))

    def test_step(self, batch, batch_idx):
        self.validation_step(batch, batch_idx)

    def configure_optimizers(self):
        return torch.optim.SGD((p for p in self.parameters() if p.requires_grad), lr=self.lr)


class Adversarial(L.LightningModule):
    """Two networks and two optimizers by turns, by hand; no validation."""

    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.generator = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 192), nn.Tanh())
        self.critic = nn.Sequential(nn.Linear(192, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))

    def training_step(self, batch, batch_idx):
        real = batch[0].flatten(1)
        for optimizer, sign in zip(self.optimizers(), (1, -1), strict=True):
            made = self.generator(torch.ones(len(real), 2))
            loss = sign * (self.critic(made).mean() - self.critic(real).mean())
            optimizer.zero_grad()
            self.manual_backward(loss)
            optimizer.step()

    def configure_optimizers(self):
        return [torch.optim.SGD(part.parameters(), lr=0.01) for part in (self.critic, self.generator)]


def trainer(folder, *callbacks, **options):
    """A trainer that is quiet and writes nothing unless told to."""
    settings = {
        "max_epochs": 2,
        "accelerator": "cpu",
        "devices": 1,
        "logger": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "enable_checkpointing": False,
        "num_sanity_val_steps": 0,
        "log_every_n_steps": 1,
    }
    return L.Trainer(default_root_dir=folder, callbacks=list(callbacks), **(settings | options))
