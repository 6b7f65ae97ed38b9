"""Axes end where their metric does."""

import pandas as pd

from gradflow.figures import marks
from gradflow.runs.metrics import Metric


def test_an_interval_stretches_a_logarithmic_axis_by_a_decade_at_most():
    magnitudes = pd.DataFrame({"mean": [1.0, 1.0], "low": [1e-30, 1e-30], "high": [1e30, 1e30]})
    low, high = marks.domain(magnitudes, Metric("", "", is_logarithmic=True))
    assert 0.01 < low < 0.1
    assert 10 < high < 100
