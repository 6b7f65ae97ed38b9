"""Batches cut from whole tensors."""

import numpy as np
import pytest
import torch

from gradflow.data.loader import BatchLoader
from gradflow.seeds import Stream, numpy_generator


def loader(samples=10, *, rows=None, batch_size=4, order_seed=None, **scaling):
    x = torch.arange(samples, dtype=torch.uint8)[:, None].expand(samples, 3).contiguous()
    rows = np.arange(samples) if rows is None else np.asarray(rows)
    return BatchLoader(x, torch.arange(samples), rows, batch_size=batch_size, order_seed=order_seed, **scaling)


def epoch_of(batches, epoch):
    batches.sampler.set_epoch(epoch)
    return torch.cat([y for _, y in batches]).tolist()


def test_last_batch_is_short_and_length_counts_it():
    batches = loader(10, batch_size=4)
    assert [len(y) for _, y in batches] == [4, 4, 2]
    assert len(batches) == 3
    assert len(loader(8, batch_size=4)) == 2
    assert len(loader(3, batch_size=4)) == 1


def test_rows_keep_their_order_without_a_seed():
    batches = loader(10, rows=[7, 2, 5], batch_size=2)
    assert torch.cat([y for _, y in batches]).tolist() == [7, 2, 5]
    assert torch.cat([x for x, _ in batches])[:, 0].tolist() == [7.0, 2.0, 5.0]
    assert batches.sampler is None


def test_every_sample_comes_once_an_epoch():
    assert sorted(epoch_of(loader(100, order_seed=0), 3)) == list(range(100))


def test_order_is_a_function_of_seed_and_epoch():
    first, same, other = (loader(100, order_seed=seed) for seed in (0, 0, 1))
    assert epoch_of(first, 0) == epoch_of(same, 0)
    assert epoch_of(first, 5) == epoch_of(same, 5)
    assert epoch_of(first, 0) == epoch_of(first, 0)  # and of nothing drawn before
    assert len({tuple(epoch_of(first, 0)), tuple(epoch_of(first, 1)), tuple(epoch_of(other, 0))}) == 3


def test_order_is_the_documented_permutation_of_the_rows():
    rows = np.array([3, 1, 4, 15, 9, 26])
    expected = rows[numpy_generator(7, Stream.ORDER, 2).permutation(6)]
    assert epoch_of(loader(30, rows=rows, order_seed=7), 2) == expected.tolist()


def test_an_iterator_made_before_the_epoch_is_set_follows_the_epoch():
    batches = loader(100, order_seed=0)
    expected = epoch_of(batches, 4)
    batches.sampler.set_epoch(0)
    iterator = iter(batches)  # Lightning does this before its first epoch, a resumed one included
    batches.sampler.set_epoch(4)
    assert torch.cat([y for _, y in iterator]).tolist() == expected


@pytest.mark.parametrize(("low", "high", "pixel_max"), [(0, 1, 255), (-1, 1, 255), (0, 255, 255), (-0.4, 2.8, 16)])
def test_batches_are_the_affine_map_computed_in_float64(low, high, pixel_max):
    scale, shift = (high - low) / pixel_max, low
    x, y = next(iter(loader(pixel_max + 1, batch_size=pixel_max + 1, scale=scale, shift=shift)))
    exact = low + (high - low) * y.double() / pixel_max
    assert x.dtype == torch.float32
    torch.testing.assert_close(x[:, 0].double(), exact, rtol=0, atol=3e-7 * max(abs(low), abs(high)))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_the_tensors_are_never_modified(dtype):
    x = torch.arange(12).view(6, 2).to(dtype)
    before = x.clone()
    for batch, _ in BatchLoader(x, torch.arange(6), np.arange(6), batch_size=6, scale=0.5, shift=3.0):
        batch.zero_()
    assert torch.equal(x, before)
    assert x.dtype == dtype
