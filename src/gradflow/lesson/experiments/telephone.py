"""What is left of the gradient signal after n layers, as a bound and as measured."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch.nn.functional as F
from torch import Tensor, nn

from gradflow import activations
from gradflow.activations.slopes import slope
from gradflow.lesson.experiments.effort import Effort
from gradflow.lesson.experiments.fit import INPUTS, digit_data, make_mlp
from gradflow.measure.gradients import gradient_norms
from gradflow.models.mlp import MLP
from gradflow.runs import gradient_gain
from gradflow.study.statistics import band

WIDTH = INPUTS  # every layer as wide as the input, so that residual connections can skip the first one too
SAMPLES = 128
SIX = 6  # layers of the published rule of thumb
PUBLISHED = {"sigmoid": 0.0002, "tanh": 0.01, "relu": 1.0}  # signal left after six layers, as often taught
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "identity": nn.Identity,
}


@dataclass(frozen=True)
class Setting:
    """How a random network is built: arguments of `make_mlp` beyond activation, depth and seed."""

    name: str
    options: dict[str, Any]


PLAIN = "default initialisation"
RIGHT = "He initialisation"  # with the gain of the function, √2 for ReLU
BATCHNORM = "BatchNorm"
RESIDUAL = "residual"
BOTH = "He initialisation and residual"
SETTINGS = (  # the last differs from the first in two respects, the others in one
    Setting(PLAIN, {"scheme": "torch"}),
    Setting(RIGHT, {"scheme": "he"}),
    Setting(BATCHNORM, {"scheme": "torch", "norm": "batch"}),
    Setting(RESIDUAL, {"scheme": "torch", "residual": True}),
    Setting(BOTH, {"scheme": "he", "residual": True}),
)


class Signal(NamedTuple):
    """What is left of the gradient on its way back.

    Attributes:
        left: its Euclidean norm by the number of blocks passed, divided by that at 0, shape (blocks + 1,).
        slopes: the product of the root mean square slopes of those blocks' activations, same shape.
        gain: the factor per layer, from `gain_per_layer`, shape (1,).
        forward: by what factor the norm of the activations changes per layer, from the input to the last block (1,).
    """

    left: np.ndarray
    slopes: np.ndarray
    gain: np.ndarray
    forward: np.ndarray


def bound(activation: nn.Module, layers: np.ndarray) -> np.ndarray:
    """(largest slope)^layers: the most that activations alone can leave of a signal; weights and norms come on top."""
    return activations.largest_slope(activation) ** np.asarray(layers, dtype=float)


def signals(effort: Effort, *, seed: int) -> pd.DataFrame:
    """What is left of the gradient signal in random networks, averaged as log10 over the seeds.

    Returns:
        Columns activation, setting, depth, layers (passed so far, 0 to depth), n, mean, low, high (95 % t
        interval); geometric means of `slopes` (the product of the passed layers' root mean square slopes), and of
        `gain` and `forward` (per layer, of the whole network).
    """
    parts = []
    for name, make in ACTIVATIONS.items():
        for setting in SETTINGS:
            for depth in effort.signal_depths:
                runs = list(_runs(make, setting, depth, range(seed, seed + effort.seeds)))
                left, slopes, gain, forward = (band(np.stack(values), log10=True) for values in zip(*runs, strict=True))
                columns = {name: getattr(left, name) for name in ("n", "mean", "low", "high")}
                part = pd.DataFrame({"layers": np.arange(depth + 1), **columns, "slopes": slopes.mean})
                part["gain"], part["forward"] = gain.mean[0], forward.mean[0]
                parts.append(part.assign(activation=name, setting=setting.name, depth=depth))
    return pd.concat(parts, ignore_index=True)


def _runs(make: Callable[[], nn.Module], setting: Setting, depth: int, seeds: range) -> Iterator[Signal]:
    data = digit_data()
    for seed in seeds:
        network = make_mlp(make, blocks=depth, width=WIDTH, seed=seed, **setting.options).double()
        yield signal(network, data.x[:SAMPLES].double(), data.y[:SAMPLES])


def signal(network: MLP, x: Tensor, y: Tensor) -> Signal:
    """The gradient of the loss at the input and after every block, and the slopes on its way.

    Args:
        network: in training mode, so that batch normalisation takes part.
        x: samples, shape (N, inputs).
        y: classes, shape (N,).
    """
    preactivations: list[Tensor] = []
    handles = [
        layer.activation.register_forward_pre_hook(lambda module, inputs: preactivations.append(inputs[0].detach()))
        for layer in network.layers
        if layer.activation is not None
    ]
    states = [x.clone().requires_grad_()]
    for block in network.blocks:
        states.append(block(states[-1]))
        states[-1].retain_grad()
    for handle in handles:
        handle.remove()
    F.cross_entropy(network.head(states[-1]), y).backward()
    gradients = [state.grad for state in reversed(states) if state.grad is not None]
    norms = gradient_norms(gradients).numpy()
    activation = network.layers[0].activation
    assert activation is not None
    rms_slopes = [float(slope(activation, z).square().mean().sqrt()) for z in reversed(preactivations)]
    forward = float(states[-1].detach().norm() / x.norm()) ** (1 / len(network.blocks))
    return Signal(
        norms / norms[0], np.cumprod([1.0, *rms_slopes]), np.array([gain_per_layer(network)]), np.array([forward])
    )


def gain_per_layer(network: MLP) -> float:
    """By what factor the weight gradient's root mean square changes from one layer to the layer before it.

    Over the hidden layers but the first, which must be of one shape; NaN with fewer than two such layers.
    """
    gradients = [layer.affine.weight.grad for layer in network.layers if layer.hidden][1:]
    if len(gradients) < 2:
        return math.nan
    norms = gradient_norms([gradient for gradient in gradients if gradient is not None])
    return float(gradient_gain.gain_per_layer(norms.numpy()[None])[0])
