"""Axes end where their metric does."""

import pandas as pd

from gradflow.figures import marks
from gradflow.runs.metrics import Metric


def test_an_interval_stretches_a_logarithmic_axis_by_a_decade_at_most():
    magnitudes = pd.DataFrame({"mean": [1.0, 1.0], "low": [1e-30, 1e-30], "high": [1e30, 1e30]})
    low, high = marks.domain(magnitudes, Metric("", "", is_logarithmic=True))
    assert 0.01 < low < 0.1
    assert 10 < high < 100


def test_a_short_logarithmic_axis_has_ticks_on_either_side_of_1():
    metric = Metric("gain", "gain", is_logarithmic=True)
    axis = marks.ValueAxis("", metric, domain=(0.8, 1.9)).of("mean").to_dict()["axis"]
    assert axis["values"] == [0.8, 0.9, 1.0, 1.2, 1.5]
