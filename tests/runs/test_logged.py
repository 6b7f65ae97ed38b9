"""What the name of a logged metric says of it."""

import pytest

from gradflow.runs.logged import better, declared
from gradflow.runs.metrics import MetricTable

NAMES = {
    "val/f1": "higher",
    "val_loss": "lower",
    "valid/BinaryAUROC": None,  # one word; `module.higher` says it
    "test/top5_acc": "higher",
    "val/perplexity/dataloader_idx_1": "lower",
    "val/loss_of_map": "higher",
    "val/quux": None,
    "g_loss": "lower",
    "val/mapping": None,
}


@pytest.mark.parametrize(("tag", "expected"), NAMES.items())
def test_a_name_tells_which_of_two_values_is_better(tag, expected):
    assert better(tag) == expected


def test_whoever_says_otherwise_is_believed_at_the_best_epoch_too():
    found = declared(
        ["val/loss", "val/loss_best", "test/loss_at_best", "val/quux"],
        higher=["val/loss", "test/loss"],
        lower=["val/quux"],
    )
    assert [metric.better for metric in found] == ["higher", "higher", "higher", "lower"]


def test_the_scores_of_ones_own_module_have_no_limits():
    """A negative log likelihood may be negative, an accuracy may be in per cent."""
    table = MetricTable(declared(["val/loss", "val/acc"]))
    assert table["val/loss"].limits == table["val/acc"].limits == (float("-inf"), float("inf"))
    assert table["val/acc"].unit == ""
    assert table["train/acc"].unit == "%"


def test_a_score_of_ones_own_is_not_said_to_be_what_gradflow_calls_so():
    """Its F1 may be a micro average."""
    (metric,) = declared(["test/f1_at_best"])
    assert metric.words == "test/f1 at the best epoch"
