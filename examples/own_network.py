"""A network of your own, swept over four activations and two depths: does its gate need a particular one?

    python examples/own_network.py

which is the same as typing, in this folder,

    gradflow -m model=custom model._target_=own_network.Highway study=highway activation=relu,tanh,gelu,sigmoid \
        blocks=2,6 width=32 trainer.max_epochs=5

Half a minute on two cores. Once they are on the command line, `gradflow report outputs/highway` writes the report.
"""

import sys
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

import gradflow
from gradflow.sweep.cli import main as command

SWEEP = (
    *("-m", "model=custom", "model._target_=own_network.Highway", "study=highway"),
    *("activation=relu,tanh,gelu,sigmoid", "blocks=2,6", "width=32", "trainer.max_epochs=5"),
)


class HighwayLayer(nn.Module):
    """A gate decides, unit by unit, what to transform and what to pass on."""

    def __init__(self, width: int, activation: nn.Module) -> None:
        super().__init__()
        self.transform = nn.Linear(width, width)
        self.gate = nn.Linear(width, width)
        self.activation = activation
        nn.init.constant_(self.gate.bias, -1.0)  # begin by passing on most

    def forward(self, x: Tensor) -> Tensor:
        gate = torch.sigmoid(self.gate(x))
        return gate * self.activation(self.transform(x)) + (1 - gate) * x


class Highway(nn.Sequential):
    """A highway network, Srivastava et al. 2015, arXiv:1505.00387.

    Args:
        input_shape: of one sample.
        num_outputs: number of logits.
        activation: makes the activation of one layer.
        blocks: highway layers.
        width: units of each.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        num_outputs: int,
        activation: Callable[[], nn.Module],
        blocks: int,
        width: int,
    ) -> None:
        inputs = torch.Size(input_shape).numel()
        layers = [HighwayLayer(width, activation()) for _ in range(blocks)]
        super().__init__(nn.Flatten(), nn.Linear(inputs, width), *layers, nn.Linear(width, num_outputs))


if __name__ == "__main__":
    sys.argv[1:] = [*SWEEP, *sys.argv[1:]]
    command()
    metrics = gradflow.load("outputs/highway").metrics
    dead = metrics[metrics["metric"] == "dead_units/total"]
    print("dead units, as a share of all:")
    print(dead.pivot_table("value", index="activation", columns="blocks").round(3))
