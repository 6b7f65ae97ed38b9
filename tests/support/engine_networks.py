"""Networks of the lesson's engine and the same ones in torch, in float64."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import Tensor, nn

from gradflow import CONF
from gradflow.lesson.experiments.fit import make_mlp
from gradflow.models.blocks import Block
from gradflow.models.mlp import MLP


@dataclass(frozen=True)
class Case:
    """A network of the engine, by the names of the page's settings."""

    activation: str = "tanh"
    parameters: dict[str, float] = field(default_factory=dict)
    optimizer: str = "sgd"
    normalisation: str = "none"
    residual: bool = False
    depth: int = 3
    width: int = 6
    rate: float = 0.05
    initialisation: str = "he"
    bias: float = 0.0

    def __str__(self) -> str:
        size = f"{self.depth}x{self.width}"
        words = [self.activation, *map(str, self.parameters.values()), self.optimizer, self.normalisation, size]
        return "-".join([*words, "residual"] if self.residual else words)

    def settings(self, **others: Any) -> dict[str, Any]:
        """As the page writes them, with a single network."""
        of_a_network = ("activation", "parameters", "normalisation", "residual", "rate", "initialisation", "bias")
        network = {key: getattr(self, key) for key in of_a_network}
        shared = {key: getattr(self, key) for key in ("optimizer", "depth", "width")}
        return {**shared, **others, "networks": [network]}


class HandedSlopes(nn.Module):
    """RReLU in training with slopes below zero that are handed in: (N, U) for inputs (N, U)."""

    def __init__(self) -> None:
        super().__init__()
        self.slopes = torch.tensor(0.25)  # for the initial weights

    def forward(self, z: Tensor) -> Tensor:
        return torch.where(z > 0, z, z * self.slopes)


def module(name: str, parameters: dict[str, float]) -> nn.Module:
    """The package's activation."""
    arguments = cast(dict[str, Any], OmegaConf.to_container(OmegaConf.load(CONF / "activation" / f"{name}.yaml")))
    del arguments["name"]
    return cast(nn.Module, instantiate({**arguments, **parameters}))


def network(case: Case, *, random_slopes: bool = False) -> MLP:
    """The package's MLP in float64, with biases, scales and shifts that are not at their initial values.

    Args:
        case: what to build.
        random_slopes: RReLU takes slopes that are handed in.
    """
    handed = random_slopes and case.activation == "rrelu"
    built = make_mlp(
        HandedSlopes if handed else lambda: module(case.activation, case.parameters),
        blocks=case.depth,
        width=case.width,
        seed=0,
        inputs=2,
        outputs=2,
        norm=case.normalisation,
        residual=case.residual,
    ).double()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in built.parameters():
            if parameter.dim() == 1 and parameter.numel() > 1:
                parameter += 0.1 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64) + case.bias
    return built


def tensors(built: MLP) -> list[dict[str, nn.Parameter]]:
    """The parameters of each layer by the engine's names; the head's last."""
    found = []
    for block in cast(Sequence[Block], built.blocks):
        named: dict[str, Any] = {"weight": block.affine.weight, "bias": block.affine.bias}
        if isinstance(block.norm, nn.BatchNorm1d | nn.LayerNorm):
            named |= {"scale": block.norm.weight, "shift": block.norm.bias}
        if isinstance(block.activation, nn.PReLU):
            named["slope"] = block.activation.weight
        found.append(named)
    return [*found, {"weight": built.head.weight, "bias": built.head.bias}]


def as_lists(layers: Sequence[dict[str, nn.Parameter]]) -> list[dict[str, list[float]]]:
    """To hand to the engine."""
    return [{name: one.detach().flatten().tolist() for name, one in layer.items()} for layer in layers]
