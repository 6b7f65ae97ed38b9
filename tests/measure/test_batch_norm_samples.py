"""The benchmark behind docs/batch_norm.md: its table by hand, and one small network."""

from types import SimpleNamespace

import batch_norm_samples as benchmark
import pandas as pd
import pytest


def row(epoch, samples, accuracy, seconds=0.0):
    common = {"network": "one", "epoch": epoch, "epoch_seconds": 2.0}
    return common | {"samples": samples, "accuracy": accuracy, "seconds": seconds}


def test_deviations_are_from_the_mean_with_the_most_samples_in_the_same_epoch():
    rows = [row(1, 0, 40.0), row(1, 8, 49.0, 0.1), row(1, 8, 52.0, 0.3), row(1, 32, 49.5, 0.6), row(1, 32, 50.5, 0.6)]
    rows += [row(2, 0, 90.0), row(2, 8, 80.0, 0.2), row(2, 8, 80.0, 0.2), row(2, 32, 80.0, 0.6), row(2, 32, 80.0, 0.6)]
    lines = benchmark.table(pd.DataFrame(rows), batch_size=8).splitlines()
    assert lines[2:] == [
        "| running averages |  | 10.0 | 10.0 |  |",
        "| 8 | 1 | 0.8 | 2.0 | 10.0 % |",
        "| 32 | 4 | 0.2 | 0.5 | 30.0 % |",
    ]


@pytest.mark.parametrize(
    ("train", "most", "expected"),
    [(1197, 2048, [32, 64, 128, 256, 512, 1024, 1184]), (1197, 128, [32, 64, 128]), (40, 999, [32])],
)
def test_samples_double_up_to_the_most_that_fill_batches(train, most, expected):
    data = SimpleNamespace(batch_size=32, sizes=SimpleNamespace(train=train))
    assert benchmark.numbers_of_samples(data, most=most) == expected


@pytest.mark.slow
def test_one_network(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    setting = benchmark.Setting(("width=4", "data.batch_size=256"), blocks=(1,), epochs=(1, 2), most=1024, draws=2)
    found = benchmark.trained(setting, "activation=sigmoid", "blocks=1")
    assert list(found.groupby("epoch").samples.agg(list)) == 2 * [[0, 256, 256, 512, 512, 1024, 1024]]
    assert (found.seconds[found.samples > 0] > 0).all()
    assert (found.seconds < found.epoch_seconds).all()
    assert found.accuracy.between(0, 100).all()
