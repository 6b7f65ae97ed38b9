"""The table of steps: rows in order, emptied when taken; averages over windows."""

import time

import numpy as np
import pytest
import torch

from gradflow.measure.steps import StepTable, average_windows


def test_rows_come_back_in_order_with_their_steps_and_moments_until_they_are_cleared():
    table = StepTable()
    before = time.time()
    table.append(3, torch.tensor([1.0]), torch.tensor([2.0, 3.0]))
    time.sleep(0.002)
    table.append(7, torch.tensor([4.0]), torch.tensor([5.0, 6.0]))
    table.append(8, torch.tensor([7.0]), torch.tensor([8.0, 9.0]))
    assert len(table) == 3
    steps, times, values = table.read()
    assert steps.tolist() == [3, 7, 8]
    assert before <= times[0] < times[1] <= time.time()
    assert values.tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    assert values.dtype == np.float64
    table.truncate(1)
    assert table.read().values.tolist() == [[1, 2, 3]]
    table.clear()
    assert len(table) == 0
    assert [len(part) for part in table.read()] == [0, 0, 0]


def test_a_look_shows_what_is_new_since_the_last_one():
    table = StepTable()
    for step in (3, 7):
        table.append(step, torch.tensor([float(step)]))
    assert (table.unseen, table.look().steps.tolist()) == (2, [3, 7])
    assert (table.unseen, [len(part) for part in table.look()]) == (0, [0, 0, 0])
    table.append(8, torch.tensor([8.0]))
    assert (table.unseen, table.look().values.tolist()) == (1, [[8]])
    assert table.read().steps.tolist() == [3, 7, 8]
    table.truncate(2)
    table.append(9, torch.tensor([9.0]))
    assert (table.unseen, table.look().steps.tolist()) == (1, [9])
    table.clear()
    table.append(10, torch.tensor([10.0]))
    assert table.look().steps.tolist() == [10]


def test_float64_parts_keep_their_precision_beside_float32_ones():
    table = StepTable()
    table.append(0, torch.tensor([0.5]), torch.tensor([1e-200, 1 / 3], dtype=torch.float64))
    assert table.read().values.tolist() == [[0.5, 1e-200, 1 / 3]]


@pytest.mark.parametrize(
    ("every", "means"),
    [
        (1, [[1, 10], [2, 20], [6, 60], [4, 40], [5, 50]]),
        (2, [[1.5, 15], [5, 50], [5, 50]]),  # the last window holds one row
        (3, [[3, 30], [4.5, 45]]),
        (5, [[3.6, 36]]),
        (100, [[3.6, 36]]),
    ],
)
def test_windows_are_means_and_the_last_may_be_short(every, means):
    rows = np.array([[1, 10], [2, 20], [6, 60], [4, 40], [5, 50]], dtype=np.float64)
    np.testing.assert_allclose(average_windows(rows, every), means)
