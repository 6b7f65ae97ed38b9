"""Streams are reproducible and separate."""

import itertools

import numpy as np
import pytest
import torch

from gradflow.seeds import Stream, numpy_generator, torch_seed

PLACES = list(itertools.product(range(6), Stream, range(6)))  # seed, stream, epoch


def test_no_two_places_share_a_torch_seed():
    assert len({torch_seed(*place) for place in PLACES}) == len(PLACES)


def test_no_two_places_share_numpy_numbers():
    assert len({numpy_generator(*place).random() for place in PLACES}) == len(PLACES)


def test_a_place_always_gives_the_same_numbers_whatever_was_drawn_before():
    first = numpy_generator(3, Stream.ORDER, 2).permutation(100)
    np.random.default_rng(0).random(1000)
    assert np.array_equal(numpy_generator(3, Stream.ORDER, 2).permutation(100), first)
    assert torch_seed(3, Stream.STOCHASTIC, 2) == torch_seed(3, Stream.STOCHASTIC, 2)


def test_children_of_a_stream_share_no_numbers_with_it_or_with_each_other():
    first = [numpy_generator(*place[:3], child=place[3]).random() for place in itertools.product(*[range(3)] * 4)]
    alone = [numpy_generator(*place).random() for place in itertools.product(*[range(3)] * 3)]
    assert len({*first, *alone}) == 3**4 + 3**3


@pytest.mark.parametrize(
    ("stream", "number"), [(Stream.WEIGHTS, 0), (Stream.ORDER, 1), (Stream.STOCHASTIC, 2), (Stream.SPLIT, 3)]
)
def test_the_numbers_of_streams_are_part_of_every_result(stream, number):
    expected = np.random.default_rng(np.random.SeedSequence([7, number, 5])).random(4)
    assert np.array_equal(numpy_generator(7, stream, 5).random(4), expected)
    word = int(np.random.SeedSequence([7, number, 5]).generate_state(1, np.uint64)[0])
    assert torch_seed(7, stream, 5) == word // 2


def test_torch_seeds_are_accepted_by_torch_and_use_their_range():
    seeds = [torch_seed(*place) for place in PLACES]
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert max(seeds) > 2**61
    for seed in seeds[:5]:
        torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("seed", [0, 2**32 + 5, 2**40])
def test_large_seeds_are_seeds_like_others(seed):
    assert torch_seed(seed, Stream.WEIGHTS) != torch_seed(seed + 1, Stream.WEIGHTS)


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="non-negative"):
        torch_seed(-1, Stream.WEIGHTS)
