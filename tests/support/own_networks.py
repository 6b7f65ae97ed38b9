"""Networks as a user would write them: `model._target_=own_networks.NAME`."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from gradflow.models.mlp import MLP


class OwnNetwork(MLP):
    """A network outside the package; `norm` says nothing about what it is made of."""

    def __init__(self, *, extra: str = "none", norm: str = "none", **options):
        super().__init__(**options)
        made = {"batch": nn.BatchNorm1d(4), "layer": nn.LayerNorm(4), "none": nn.Identity()}
        self.extra = nn.Sequential(nn.Identity(), made[extra])


class Untrainable(MLP):
    """Evaluates, but does not train."""

    def forward(self, x):
        if self.training:
            raise ValueError("no training")
        return super().forward(x)


class Plain(nn.Module):
    """Takes neither activation nor size; its `view` needs the usual layout of memory."""

    def __init__(self, in_channels: int, num_classes: int, hidden: int = 4):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, hidden, 3), nn.BatchNorm2d(hidden), nn.ReLU(inplace=True), nn.Conv2d(hidden, 2, 3)
        )
        self.relu = nn.ReLU()
        self.head = nn.Linear(2 * 4 * 4, num_classes)

    def forward(self, x):
        x = self.relu(self.features(x))
        return self.head(x.view(len(x), -1))


class Highway(nn.Module):
    """Srivastava et al. 2015, arXiv:1505.00387: takes the activation and the knobs."""

    def __init__(self, input_shape, num_outputs, activation, blocks, width):
        super().__init__()
        self.stem = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(input_shape), width), activation())
        self.candidates = nn.ModuleList(nn.Sequential(nn.Linear(width, width), activation()) for _ in range(blocks))
        self.gates = nn.ModuleList(nn.Linear(width, width) for _ in range(blocks))
        self.head = nn.Linear(width, num_outputs)

    def forward(self, x):
        x = self.stem(x)
        for candidate, gate in zip(self.candidates, self.gates, strict=True):
            share = torch.sigmoid(gate(x))
            x = share * candidate(x) + (1 - share) * x
        return self.head(x)


class CallsReLU(nn.Module):
    """Its activation is a function."""

    def __init__(self, num_classes):
        super().__init__()
        self.first, self.head = nn.Linear(64, 8), nn.Linear(8, num_classes)

    def forward(self, x):
        return self.head(F.relu(self.first(x.flatten(1))))


def linear(num_outputs):
    """A network without activations."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, num_outputs))


def for_mnist(num_outputs):
    """A network that fits images of 28x28 pixels only."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 4), nn.ReLU(), nn.Linear(4, num_outputs))


def in_a_list(num_outputs):
    """No network."""
    return [nn.Linear(64, num_outputs)]


class TwoAnswers(Plain):
    """Returns a pair, as networks with an auxiliary head do."""

    def forward(self, x):
        return super().forward(x), x
