"""What is read off the tables for a claim, one value per seed, by hand."""

import numpy as np
import pandas as pd
import pytest

from gradflow.reproductions.measured import by_seed, mean_curve
from gradflow.reproductions.published import Claim
from gradflow.reproductions.stored import Tables

NAN = np.nan
RUNS = pd.DataFrame(
    [
        ("relu", 1, 0, "finished", 0.5),
        ("relu", 1, 1, "finished", 0.6),
        ("relu", 1, 2, "finished", 0.6),
        ("relu", 8, 0, "finished", 0.7),
        ("relu", 8, 1, "finished", 0.9),
        ("relu", 8, 2, "diverged", NAN),
        ("relu", 8, 3, "finished", NAN),
        ("sigmoid", 8, 0, "finished", 0.1),
    ],
    columns=["activation", "blocks", "seed", "state", "test/acc"],
)
EPOCHS = pd.DataFrame(
    [
        *[
            ("relu", 1, 0, epoch, value, norm)
            for epoch, value, norm in ((1, 0.5, 1.0), (2, 0.8, 100.0), (3, 0.7, 10.0))
        ],
        *[("relu", 1, 1, epoch, value, norm) for epoch, value, norm in ((1, 0.7, 4.0), (2, 0.6, 4.0))],
        *[("sigmoid", 1, 0, epoch, 0.1, norm) for epoch, norm in ((1, 0.1), (2, 1.0))],
    ],
    columns=["activation", "blocks", "seed", "epoch", "val/acc", "grad_norm/total"],
)
TABLES = Tables({}, RUNS, EPOCHS)


def measured(**fields):
    return by_seed(
        Claim(**{"text": "", "activation": "relu", "metric": "val/acc", "rule": "near", "blocks": 1, **fields}), TABLES
    )


def test_the_end_of_training_of_finished_runs():
    assert measured(metric="test/acc", blocks=8) == {0: 0.7, 1: 0.9}


def test_a_change_with_depth_is_paired_by_seed():
    assert measured(metric="test/acc", blocks=8, from_blocks=1) == pytest.approx({0: 0.2, 1: 0.3})


def test_the_best_value_up_to_an_epoch_of_runs_that_got_that_far():
    assert measured(epoch=1) == {0: 0.5, 1: 0.7}
    assert measured(epoch=3) == {0: 0.8}


def test_a_magnitude_over_all_epochs_is_a_geometric_mean_and_a_ratio_is_paired():
    assert measured(metric="grad_norm/total", over="epochs") == pytest.approx({0: 10.0, 1: 4.0})
    # sqrt(0.1 * 1) over 10; sigmoid has no seed 1
    ratio = measured(metric="grad_norm/total", over="epochs", rule="below", activation="sigmoid", other="relu")
    assert ratio == pytest.approx({0: 0.1**0.5 / 10})


def test_a_mean_curve_is_over_the_epochs_that_all_runs_have():
    assert mean_curve(TABLES, "relu", 1, "val/acc").to_dict() == pytest.approx({1: 0.6, 2: 0.7})
    assert mean_curve(TABLES, "tanh", 1, "val/acc").empty
