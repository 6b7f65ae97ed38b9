"""Tags of metrics, and the limits of what they name."""

import math

import pytest

from gradflow.runs import metrics


@pytest.mark.parametrize(
    ("tag", "limits"),
    [
        ("train/acc", (0, 1)),
        ("test/acc_at_best", (0, 1)),
        ("test/acc_precise_bn", (0, 1)),
        ("dead_units/01_block", (0, 1)),
        ("low_slope/total", (0, 1)),
        ("train/loss_step", (0, math.inf)),
        ("val/mae", (0, math.inf)),
        ("val/r2_best", (-math.inf, 1)),
        ("best_epoch", (1, math.inf)),
        ("grad_flow/decades_per_layer", (-math.inf, math.inf)),
        ("grad_norm/total", (-math.inf, math.inf)),
    ],
)
def test_limits_of_metrics(tag, limits):
    assert metrics.limits(tag) == limits


def test_tags_are_those_of_the_contract():
    assert metrics.at_best("test/acc") == "test/acc_at_best"
    assert metrics.precise_bn("test/acc") == "test/acc_precise_bn"
    assert {metrics.of_last_epoch(tag) for tag in ("test/acc", "test/acc_at_best", "test/acc_precise_bn")} == {
        "test/acc"
    }
    assert metrics.best("val/acc") == "val/acc_best"
    assert metrics.grad_norm("01_block") == "grad_norm/01_block"
    assert metrics.grad_rms("01_block") == "grad_rms/01_block"
    assert metrics.unit_tag(metrics.DEAD_UNITS, "total") == "dead_units/total"
