"""Figures by depth: panels, layers, data."""

import pytest
from drawn import marks_of
from forged_runs import HEADLINE

from gradflow.figures import marks
from gradflow.report import depth_charts
from gradflow.runs.metrics import MetricTable


def headline(frames, legend):
    return depth_charts.by_depth(
        frames.final, frames.seeds, legend, metric=MetricTable().final(HEADLINE), name="headline", reading=""
    )


def test_one_seed_has_points_and_no_interval(grid):
    frames, _, legend = grid(["relu", "sigmoid"], [1, 4])
    (panel,) = headline(frames, legend).panels
    assert marks_of(panel) == ["line", "point", "point"]


def test_two_seeds_have_intervals_and_every_seed(grid):
    frames, _, legend = grid(["relu", "sigmoid"], [1, 4], seeds=2)
    (panel,) = headline(frames, legend).panels
    assert marks_of(panel) == ["line", "rule", "point", "point"]
    rows = panel.chart.data.values
    assert sorted(row["value"] for row in rows if row["value"] is not None) == [0.5] * 4 + [0.6] * 4
    assert [row["mean"] for row in rows if row["mean"] is not None] == [0.55] * 4


def test_one_depth_is_drawn_by_activation(grid):
    frames, _, legend = grid(["relu", "sigmoid"], [2])
    (panel,) = headline(frames, legend).panels
    assert panel.chart.to_dict()["layer"][0]["encoding"]["x"]["field"] == "activation"
    by_layer = depth_charts.gradient_by_layer(frames.layers, legend)
    assert [p.title for p in by_layer.panels] == ["before the first update", "last epoch"]


def test_an_axis_ends_where_a_metric_does(grid):
    frames, *_ = grid(["relu"], [1, 2], seeds=2)  # the interval of 0.5 and 0.6 reaches beyond 0 and 1
    final = frames.final[frames.final["metric"] == HEADLINE]
    assert marks.domain(final, MetricTable()[HEADLINE]) == pytest.approx((-0.03, 1.03))
