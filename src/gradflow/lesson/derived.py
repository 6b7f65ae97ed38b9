"""Numbers of the lesson that follow from formulas: for the cheat sheet and for the answers of the quiz."""

import math

from gradflow import activations
from gradflow.lesson.experiments.families import by_name, families

TORCH_VARIANCE = 1 / 3  # of PyTorch's default weights, times the number of inputs; conf/init/torch.yaml


def largest_slope(name: str) -> float:
    """The supremum of abs f'(z) of one of the package's activations, with its usual parameter."""
    return activations.largest_slope(by_name(families())[name].make())


def most_left(name: str, layers: int) -> float:
    """The most that this many layers' slopes leave of a gradient; the weights come on top."""
    return largest_slope(name) ** layers


def left_by_torch_relu(layers: int) -> float:
    """What is left of the size of a signal after ReLU layers with PyTorch's default weights and no biases.

    A ReLU halves the mean square of what is symmetric about zero (He et al. 2015, arXiv:1502.01852, section 2.2).
    """
    return math.sqrt(TORCH_VARIANCE / 2) ** layers


def untrained_loss(classes: int) -> float:
    """Cross-entropy, in nats, of equal probabilities for all classes."""
    return math.log(classes)


def smallest_sign_flip_p(seeds: int) -> float:
    """Of the exact two-sided sign flip: two of the 2^n sums are as extreme as the most extreme one."""
    return 2 / 2**seeds
