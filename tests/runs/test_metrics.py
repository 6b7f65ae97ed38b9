"""Tags of metrics, and the limits of what they name."""

import json
import math
from dataclasses import replace

import pytest

from gradflow.runs.metrics import METRICS, Metric, MetricTable


@pytest.mark.parametrize(
    ("tag", "limits"),
    [
        ("train/acc", (0, 1)),
        ("test/acc_at_best", (0, 1)),
        ("test/acc_running_bn", (0, 1)),
        ("dead_units/01_block", (0, 1)),
        ("low_slope/total", (0, 1)),
        ("train/loss_step", (0, math.inf)),
        ("val/mae", (0, math.inf)),
        ("val/r2_best", (-math.inf, 1)),
        ("best_epoch", (1, math.inf)),
        ("grad_flow/gain_per_layer", (0, math.inf)),
        ("grad_norm/total", (0, math.inf)),
        ("tag/of nobody", (-math.inf, math.inf)),
    ],
)
def test_limits_of_metrics(tag, limits):
    assert MetricTable()[tag].limits == limits


def test_every_tag_stands_once_in_the_table():
    tags = [metric.tag for metric in METRICS]
    assert len(set(tags)) == len(tags)


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("test/acc_at_best", "test accuracy at the best epoch (%)"),
        ("val/mae_best", "validation mean absolute error at the best epoch (unit of the target)"),
        ("test/r2_running_bn", "test R² by batch norm's running averages"),
        ("grad_norm/total", "gradient norm, last epoch"),
        ("grad_abs_mean_all_steps", "mean absolute gradient, all steps"),
        ("dead_units/total", "dead units, last epoch (%)"),
        ("dead_units/03_block", "dead units, 03_block, last epoch (%)"),
        ("tag/of nobody", "tag/of nobody"),
    ],
)
def test_words_of_the_values_in_run_json(tag, words):
    assert MetricTable().final(tag).with_unit == words


def test_selected_on_test_is_said_of_scores_at_the_best_epoch():
    table = MetricTable.of([{"selected_on": "test", "declared_metrics": []}])
    assert table.final("test/acc_at_best").with_unit == "test accuracy at the best epoch, selected on test (%)"
    assert table.final("test/acc").with_unit == "test accuracy (%)"


def test_gradient_magnitudes_are_averaged_as_logarithms_and_signed_or_bounded_values_are_not():
    logarithmic = {metric.tag for metric in METRICS if metric.is_logarithmic}
    assert logarithmic == {
        "grad_norm/",
        "grad_norm/total",
        "grad_rms/",
        "grad_abs_mean",
        "grad_abs_mean_all_steps",
        "grad_flow/first_to_last",
        "grad_flow/gain_per_layer",
    }
    assert all(metric.low >= 0 for metric in METRICS if metric.is_logarithmic)


def test_scores_and_dead_units_alone_have_a_better_value():
    better = {metric.tag: metric.better for metric in METRICS if metric.better}
    assert set(better.values()) == {"higher", "lower"}
    assert all(tag.startswith(("train/", "val/", "test/", "dead_units/")) for tag in better)
    assert better["dead_units/total"] == better["dead_units/"] == "lower"
    assert all(
        (direction == "lower") == any(word in tag for word in ("loss", "mae", "dead"))
        for tag, direction in better.items()
    )


RANK = Metric("rank/", "effective rank", low=1.0, is_logarithmic=True, better="higher", taken="last epoch")


def test_a_declaration_survives_run_json():
    entry = json.loads(json.dumps(RANK.as_entry()))
    assert entry["low"] == 1.0
    assert "high" not in entry  # JSON has no infinity
    assert Metric.of_entry(entry | {"of a later version": 1}) == RANK


def test_what_monitors_declare_follows_the_metrics_of_the_package():
    table = MetricTable.of([{"selected_on": "validation", "declared_metrics": [RANK.as_entry()]}])
    assert table["rank/02_block"] == replace(RANK, tag="rank/02_block", words="effective rank, 02_block")
    tags = ["rank/10_block", "rank/02_block", "test/acc", "grad_rms/01_block", "nobody's", "test/acc_at_best"]
    assert table.reported(tags) == ["test/acc_at_best", "test/acc", "rank/02_block", "rank/10_block"]


def test_a_metric_of_the_package_cannot_be_declared_anew():
    other = Metric("grad_norm/total", "something else", better="lower")
    assert MetricTable([other])["grad_norm/total"] == MetricTable()["grad_norm/total"]


@pytest.mark.parametrize(("shares", "unit"), [([0.1, 0.1], "nats"), ([0.1, None], ""), ([None], ""), ([], "")], ids=str)
def test_a_loss_is_in_nats_where_every_run_that_has_started_has_classes(shares, unit):
    started = [{"majority_share": share, "provenance": {"device": "a CPU"}} for share in shares]
    records = [*started, {"majority_share": None, "provenance": None}]
    table = MetricTable.of([{"selected_on": "validation", "declared_metrics": []} | record for record in records])
    assert {table[tag].unit for tag in ("train/loss", "val/loss_best", "test/loss_at_best", "train/loss_step")} == {
        unit
    }
    assert (table["test/acc"].unit, table["val/mae"].unit) == ("%", "unit of the target")
