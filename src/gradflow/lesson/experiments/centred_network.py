"""Networks that start as the same function and learn the digits with centred activations or others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gradflow.lesson.experiments.centring import ADAM, FUNCTIONS, PAIRS, SGD, Tuned, at_rates, tuned
from gradflow.lesson.experiments.effort import Effort
from gradflow.lesson.experiments.fit import BATCH, digit_data, make_mlp
from gradflow.seeds import Stream, numpy_generator

Logits = Callable[[Tensor], Tensor]  # (N, pixels) to (networks, N, classes)
BLOCKS, WIDTH = 3, 64
NAMES = [name for pair in PAIRS for name in pair]
RATES = {
    SGD: tuple(2.0**exponent for exponent in range(-4, 5)),
    ADAM: tuple(2.0**exponent for exponent in range(-10, -3)),
}


@dataclass(frozen=True)
class Trained:
    """Networks with one function and one optimizer.

    Attributes:
        loss: on all training digits after the last epoch, in nats.
        accuracy: on the test digits at the best rate, of the measured seeds, shape (seeds,).
    """

    loss: Tuned
    accuracy: np.ndarray


def trainings(effort: Effort, *, seed: int) -> dict[tuple[str, str], Trained]:
    """Every function's networks with every optimizer, by their names."""
    return {(name, optimizer): _trained(name, optimizer, effort, seed) for name in NAMES for optimizer in RATES}


def _trained(name: str, optimizer: str, effort: Effort, seed: int) -> Trained:
    accuracies: list[np.ndarray] = []

    def run(rates: Sequence[float], seeds: Sequence[int]) -> np.ndarray:
        loss, accuracy = scores(train(name, optimizer, rates, seeds, epochs=effort.rate_epochs), rates, seeds)
        accuracies.append(accuracy)
        return loss

    loss = tuned(run, RATES[optimizer], seed=seed, tuning=effort.tuning_seeds, seeds=effort.rate_seeds)
    return Trained(loss, accuracies[-1][0])


def initial(name: str, seeds: Sequence[int]) -> list[Tensor]:
    """Weights and biases of one network a seed, layer by layer, shapes (seeds, outputs, inputs) and (seeds, outputs).

    PyTorch's initialisation, but the biases take back what the function's mean adds: networks whose functions differ by
    a constant start as the same function of the pixels.
    """
    networks = [make_mlp(nn.Identity, blocks=BLOCKS, width=WIDTH, seed=seed, scheme="torch") for seed in seeds]
    parameters = []
    for number in range(BLOCKS + 1):
        affine = [network.layers[number].affine for network in networks]
        weight = torch.stack([one.weight.detach() for one in affine])
        bias = torch.stack([one.bias.detach() for one in affine if one.bias is not None])
        mean = FUNCTIONS[name].mean if number else 0.0
        parameters += [weight, bias - mean * weight.sum(dim=2)]
    return parameters


def forward(name: str, parameters: Sequence[Tensor], x: Tensor) -> Tensor:
    """Logits of a stack of networks: x of shape (networks, N, pixels) to (networks, N, classes)."""
    weights, biases = parameters[::2], parameters[1::2]
    for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        x = FUNCTIONS[name].apply(x) if number else x
        x = torch.baddbmm(bias[:, None], x, weight.transpose(1, 2))
    return x


def train(name: str, optimizer: str, rates: Sequence[float], seeds: Sequence[int], *, epochs: int) -> Logits:
    """Train a network for every rate and seed; a seed fixes the weights and the order of the batches of 32."""
    data = digit_data()
    copies, stepper = at_rates(initial(name, seeds), rates, optimizer)
    for epoch in range(epochs):
        orders = [_order(seed, epoch) for seed in seeds]
        for rows in zip(*(order.split(BATCH) for order in orders), strict=True):
            x, y = (torch.stack([part[one] for one in rows]) for part in (data.x, data.y))
            stepper.zero_grad()
            outputs = forward(name, _stacked(copies), x.repeat(len(rates), 1, 1))
            _losses(outputs, y.repeat(len(rates), 1)).sum().backward()  # to each network the gradient of its own loss
            stepper.step()
    final = [parameter.detach() for parameter in _stacked(copies)]
    return lambda x: forward(name, final, x.expand(len(final[0]), -1, -1))


def _order(seed: int, epoch: int) -> Tensor:
    return torch.from_numpy(numpy_generator(seed, Stream.ORDER, epoch).permutation(len(digit_data().x)))


def _stacked(copies: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    """The networks of all rates and seeds as one stack, rate by rate."""
    return [torch.cat(list(one)) for one in copies]


def _losses(outputs: Tensor, y: Tensor) -> Tensor:
    """Mean cross-entropy of each network, shape (networks,)."""
    return F.cross_entropy(outputs.transpose(1, 2), y, reduction="none").mean(dim=1)


@torch.no_grad()
def scores(logits: Logits, rates: Sequence[float], seeds: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Training loss and test accuracy of every network, both of shape (rates, seeds)."""
    data, shape = digit_data(), (len(rates), len(seeds))
    outputs = logits(data.x)
    loss = _losses(outputs, data.y.expand(len(outputs), -1)).double()
    right = (logits(data.x_test).argmax(dim=2) == data.y_test).double().mean(dim=1)
    return loss.reshape(shape).numpy(), right.reshape(shape).numpy()
