"""One thread for a network whose update has too little to share, all for the others; the user's own number wins."""

import os

import pytest
import torch
from finished_runs import only_run, record
from torch import nn

from gradflow import threads
from gradflow.training.thread_count import WORTH_THREADS, suitable_threads, update_operations


@pytest.fixture(autouse=True)
def nothing_asked(monkeypatch):
    for name in (threads.COUNT, threads.OWN_COUNT, *threads.WAITING):
        monkeypatch.delenv(name, raising=False)


def test_operations_of_an_update_are_six_per_weight_of_a_product_and_sample():
    network = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Dropout(), nn.Linear(7, 3))
    assert update_operations(network, torch.zeros(1, 5), batch_size=10) == 6 * 10 * (5 * 7 + 7 * 3)


def test_operations_of_a_convolution_count_every_position():
    network = nn.Conv2d(3, 4, 3, padding=1)  # 27 products for each of 4 channels at 6 x 6 places
    assert update_operations(network, torch.zeros(1, 3, 6, 6), batch_size=2) == 6 * 2 * 27 * 4 * 36


def test_counting_operations_changes_neither_the_network_nor_random_numbers():
    network = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout()).train()
    before, random = network.state_dict(), torch.get_rng_state()
    update_operations(network, torch.ones(1, 4), batch_size=1)
    torch.testing.assert_close(network.state_dict(), before, rtol=0, atol=0)
    assert network.training
    assert torch.equal(torch.get_rng_state(), random)


def test_only_large_updates_are_shared():
    assert suitable_threads(int(WORTH_THREADS) - 1, available=8) == 1
    assert suitable_threads(int(WORTH_THREADS), available=8) == 8


def test_the_users_own_number_wins(monkeypatch):
    monkeypatch.setenv(threads.COUNT, "3")
    threads.let_wait_asleep()
    monkeypatch.setenv(threads.COUNT, "1")  # as a launcher's worker has it
    threads.let_wait_asleep()
    assert threads.own_count() == 3
    assert suitable_threads(10, available=3) == 3


def test_threads_sleep_unless_the_user_says_how_they_wait(monkeypatch):
    threads.let_wait_asleep()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.delenv("OMP_WAIT_POLICY")
    monkeypatch.setenv("GOMP_SPINCOUNT", "1000")
    threads.let_wait_asleep()
    assert "OMP_WAIT_POLICY" not in os.environ


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "count"), [((), 1), (("threads=2",), 2), (("data.batch_size=1197", "width=256"), 2)]
)
def test_a_run_has_and_records_the_threads_that_suit_it(command, tmp_path, options, count):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    quick = ("trainer=cpu", "trainer.max_epochs=1", "blocks=2", "callbacks=none")
    try:
        assert command(*quick, *options).status == 0
    finally:
        torch.set_num_threads(before)
    assert record(only_run(tmp_path))["provenance"]["threads"] == count
