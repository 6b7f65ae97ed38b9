"""Separate random streams from one seed.

Every stream is reseeded at each epoch from `numpy.random.SeedSequence([seed, stream, epoch])`, so that resuming at an
epoch boundary needs no generator state, and no two seeds share a stream (as they would with seed + epoch).
"""

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What a stream is for. The numbers are part of every result: never renumber them."""

    WEIGHTS = 0  # initial weights; the layer's index replaces the epoch
    ORDER = 1  # the order of the batches
    STOCHASTIC = 2  # dropout, randomised activations
    SPLIT = 3  # training, validation and test sets; seeded by data.split_seed, with a child for each resampled split
    STATISTICS = 4  # the samples behind recomputed batch normalisation statistics
    HOOKS = 5  # what the hooks of somebody's module draw at the beginning of an epoch
    LATER_BATCHES = 6  # the order of the batches after the first, of a loader without a length


def numpy_generator(seed: int, stream: Stream, epoch: int = 0, *, child: int | None = None) -> np.random.Generator:
    """A NumPy generator for one stream of one seed in one epoch (all integers, at least 0).

    Args:
        seed: of the stream.
        stream: what it is for.
        epoch: or another number that tells parts of the stream apart.
        child: draws from this child of the stream, which is independent of the stream itself and of its other children.
    """
    children = () if child is None else (child,)
    return np.random.default_rng(np.random.SeedSequence([seed, stream, epoch], spawn_key=children))


def torch_seed(seed: int, stream: Stream, epoch: int = 0, *, process: int = 0) -> int:
    """A 63-bit seed for `torch.manual_seed` or `torch.Generator.manual_seed`, for one process of a run."""
    entropy = [seed, stream, epoch, *([process] if process else [])]
    return int(np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0] >> 1)
