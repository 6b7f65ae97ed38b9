"""Activations for tests: torch's own with their parameters, and custom ones that make things hard."""

import math

import torch
from torch import Tensor, nn

INF = math.inf


ELEMENTWISE = [
    nn.Identity(),
    nn.Sigmoid(),
    nn.Tanh(),
    nn.ReLU(),
    nn.ReLU(inplace=True),
    nn.LeakyReLU(),
    nn.LeakyReLU(0.3),
    nn.LeakyReLU(-0.5),
    nn.PReLU(),
    nn.PReLU(init=1.7),
    nn.RReLU(),
    nn.RReLU(0.5, 0.9),
    nn.ELU(),
    nn.ELU(1.7),
    nn.SELU(),
    nn.CELU(),
    nn.CELU(0.25),  # torch rounds 1 / alpha to float32: a power of two keeps the comparison exact
    nn.GELU(),
    nn.GELU(approximate="tanh"),
    nn.SiLU(),
    nn.Mish(),
    nn.Softplus(),
    nn.Softplus(beta=3.0, threshold=5.0),
    nn.Softsign(),
    nn.Hardtanh(),
    nn.Hardtanh(-0.5, 2.0),
    nn.Hardswish(),
    nn.ReLU6(),
]


class Wave(nn.Module):
    """A custom elementwise activation with a learned frequency, a buffer that counts, dropout, and a side effect."""

    def __init__(self) -> None:
        super().__init__()
        self.frequency = nn.Parameter(torch.tensor(2.0))
        self.register_buffer("calls", torch.tensor(0))
        self.dropout = nn.Dropout(0.5)

    def forward(self, z: Tensor) -> Tensor:
        self.calls += 1
        torch.rand(1)
        return self.dropout(torch.sin(self.frequency * z))


class InPlace(nn.Module):
    def forward(self, z: Tensor) -> Tensor:
        return z.mul_(3).tanh_()


class ShiftedReLU(nn.ReLU):
    """A subclass with another forward: the closed form of its parent would be wrong."""

    def forward(self, z: Tensor) -> Tensor:
        return torch.relu(z - 1)


class PerChannel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([0.5, 1.0, 4.0]).view(1, 3, 1, 1))

    def forward(self, z: Tensor) -> Tensor:
        return torch.atan(self.weight * z)


class Step(nn.Module):
    def forward(self, z: Tensor) -> Tensor:
        return (z > 0).to(z)


class Projection(nn.Module):
    """A weight matrix inside, far too large to be taken for one parameter a unit."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(300, 300)

    def forward(self, z: Tensor) -> Tensor:
        return z * torch.sigmoid(self.linear(z))


class Running(nn.Module):
    def forward(self, z: Tensor) -> Tensor:
        return z.cumsum(-1)


class Soft(nn.Module):
    """log(1 + exp(z)) with its derivative in closed form."""

    def forward(self, z):
        return torch.log1p(torch.exp(z))

    def slope(self, z):
        return torch.sigmoid(z)


class SteeperSoft(Soft):
    """Inherits a slope that is not its own."""

    def forward(self, z):
        return 3 * super().forward(z)


class Summed(Soft):
    def slope(self, z):
        return torch.sigmoid(z).sum()
