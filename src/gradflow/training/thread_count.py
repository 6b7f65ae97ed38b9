"""How many CPU threads a run trains with, where nobody has said it."""

import copy

import torch
from lightning.pytorch.utilities.seed import isolate_rng
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from gradflow import threads

# Floating-point operations of an update. With fewer, to wake the other threads takes as long as they save, and beside
# other processes far longer; with more, two threads gain (measured with two cores, fully connected and convolutional).
WORTH_THREADS = 4e9
PASSES = 3  # an update takes three times the forward pass: the gradient has two products for each of its own


def update_operations(network: nn.Module, x: torch.Tensor, *, batch_size: int) -> int:
    """Floating-point operations of the products in one update, a multiplication and an addition counted as two.

    Args:
        network: any; a copy of it runs once.
        x: one sample, shape (1, ...).
        batch_size: samples of an update.
    """
    trial = copy.deepcopy(network).eval()
    with isolate_rng(), torch.no_grad(), FlopCounterMode(display=False) as counter:
        trial(x)
    return PASSES * batch_size * counter.get_total_flops()


def suitable_threads(operations: int, *, available: int) -> int:
    """The threads of a run: those available, or one where an update has too few operations to share."""
    if threads.own_count() is not None:
        return available
    return available if operations >= WORTH_THREADS else 1
