"""The table of steps: rows in order, emptied when taken; averages over windows."""

import time

import numpy as np
import pytest
import torch

from gradflow.steps import StepTable, average_windows


def test_rows_come_back_in_order_with_their_steps_and_moments_and_are_gone():
    table = StepTable()
    before = time.time()
    table.append(3, torch.tensor([1.0, 2.0]))
    time.sleep(0.002)
    table.append(7, torch.tensor([3.0, 4.0]))
    assert len(table) == 2
    steps, times, values = table.take()
    assert steps.tolist() == [3, 7]
    assert before <= times[0] < times[1] <= time.time()
    assert values.tolist() == [[1, 2], [3, 4]]
    assert values.dtype == np.float64
    assert len(table) == 0
    assert [len(part) for part in table.take()] == [0, 0, 0]


def test_float64_rows_keep_their_precision():
    table = StepTable()
    table.append(0, torch.tensor([1e-200, 1 / 3], dtype=torch.float64))
    assert table.take()[2].tolist() == [[1e-200, 1 / 3]]


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
