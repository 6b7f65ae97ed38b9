"""Networks and trainings of the lesson: plain loops on the built-in digits, a second each."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

from gradflow.data.scaling import z_scores
from gradflow.data.sources import digits
from gradflow.measure.batch_norm import batch_norm_layers, recomputed
from gradflow.measure.units import SlopeMeter
from gradflow.models.blocks import ActivationFactory
from gradflow.models.initialization import Initializer
from gradflow.models.mlp import MLP
from gradflow.seeds import Stream, numpy_generator, torch_seed

BATCH = 32
STATISTICS_BATCHES = 16  # with 20 layers, at most 0.5 points of test accuracy from all 43 (measured)
NUM_TEST = 400
CLASSES = 10
INPUTS = 64  # pixels


@dataclass(frozen=True)
class Digits:
    """scikit-learn's digits, pixels as z-scores of the training part: x float32 (N, 64), y int64 (N,)."""

    x: Tensor
    y: Tensor
    x_test: Tensor
    y_test: Tensor


@functools.cache
def digit_data() -> Digits:
    """1,397 digits to train on and 400 to test on, the same in every experiment, stratified."""
    arrays = digits()
    pixels = arrays.x.reshape(len(arrays.x), -1).astype(np.float32)
    train, test = train_test_split(
        np.arange(len(pixels)), test_size=NUM_TEST, random_state=0, shuffle=True, stratify=arrays.y
    )
    x = torch.from_numpy(z_scores(pixels, train)[0])
    y = torch.from_numpy(arrays.y)
    return Digits(x=x[train], y=y[train], x_test=x[test], y_test=y[test])


def make_mlp(
    activation: ActivationFactory,
    *,
    blocks: int,
    width: int,
    seed: int,
    inputs: int = INPUTS,
    outputs: int = CLASSES,
    scheme: str = "he",
    **options: Any,
) -> MLP:
    """A multilayer perceptron with the initial weights of a seed.

    Args:
        activation: called once a block.
        blocks: hidden blocks.
        width: units of each.
        seed: of the weights.
        inputs: features.
        outputs: of the head.
        scheme: of `gradflow.models.initialization`; torch and he with their usual distribution and biases.
        options: norm, residual and what else the MLP takes.
    """
    torch.manual_seed(torch_seed(seed, Stream.WEIGHTS))
    network = MLP((inputs,), outputs, activation, blocks=blocks, width=width, **options)
    is_torch = scheme == "torch"
    Initializer(scheme, "uniform" if is_torch else "normal", "uniform" if is_torch else "zero").apply(
        network.layers, seed
    )
    return network


def fit(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    *,
    epochs: int,
    seed: int,
    after_epoch: Callable[[int], None],
) -> None:
    """Train on the digits in batches of 32, in an order that the seed fixes.

    Args:
        network: (N, 64) to logits (N, 10), for the cross-entropy.
        optimizer: of its parameters.
        epochs: at least 1.
        seed: of the order.
        after_epoch: called with 0 before the first update and with 1 to `epochs`, the network in evaluation mode; batch
            normalisation then uses statistics recomputed at the weights as they are, on the `statistics_batches`.
    """
    data, batches = digit_data(), statistics_batches(seed)

    def look(epoch: int) -> None:
        network.eval()
        with recomputed(network, batches if batch_norm_layers(network) else ()):
            after_epoch(epoch)

    look(0)
    for epoch in range(epochs):
        network.train()
        order = torch.from_numpy(numpy_generator(seed, Stream.ORDER, epoch).permutation(len(data.x)))
        for rows in order.split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(network(data.x[rows]), data.y[rows]).backward()
            optimizer.step()
        look(epoch + 1)


def statistics_batches(seed: int) -> list[Tensor]:
    """Training digits from which batch normalisation's statistics are recomputed, in 16 whole batches of 32."""
    x = digit_data().x
    order = torch.from_numpy(numpy_generator(seed, Stream.STATISTICS).permutation(len(x)))
    return [x[rows] for rows in order[: STATISTICS_BATCHES * BATCH].split(BATCH)]


@torch.no_grad()
def accuracy(network: nn.Module) -> float:
    """Fraction of the test digits that the largest output classifies correctly."""
    data = digit_data()
    return float((network(data.x_test).argmax(dim=1) == data.y_test).double().mean())


@torch.no_grad()
def dead_units(network: MLP) -> list[np.ndarray]:
    """For each hidden layer, which units no test digit can change, by the meter of the callback `unit_statistics`.

    Returns:
        A boolean array of shape (units,) a layer.
    """
    hidden = [layer.activation for layer in network.layers if layer.activation is not None]
    meters = [SlopeMeter(activation) for activation in hidden]
    handles = [
        activation.register_forward_pre_hook(lambda module, inputs, meter=meter: meter.update(inputs[0]))
        for activation, meter in zip(hidden, meters, strict=True)
    ]
    try:
        network(digit_data().x_test)
    finally:
        for handle in handles:
            handle.remove()
    return [meter.dead().numpy() for meter in meters]
