"""Figures by depth: panels, layers, data, what is said of them."""

import json
from dataclasses import replace

import pandas as pd
import pytest
from drawn import marks_of
from forged_runs import HEADLINE

from gradflow.figures import marks
from gradflow.report import across, depth_charts
from gradflow.report.depth_charts import Quantity
from gradflow.report.figures import figures
from gradflow.runs.metrics import MetricTable

GAIN = "grad_flow/gain_per_layer"


def answer(frames, legend, *tags):
    quantities = [Quantity(MetricTable().final(tag)) for tag in tags or (HEADLINE,)]
    return depth_charts.answer(frames, legend, quantities=quantities, reading="")


def rows(panel, column):
    return [row[column] for row in panel.rows if row[column] is not None]


def test_one_seed_has_points_and_no_interval(grid):
    frames, _, legend = grid(["relu", "sigmoid"], [1, 4])
    (panel,) = answer(frames, legend).panels
    assert marks_of(panel) == ["line", "point", "rule", "text"]  # and the names at the ends of the lines


def test_two_seeds_have_intervals_and_every_seed(grid):
    frames, _, legend = grid(["relu", "sigmoid"], [1, 4], seeds=2)
    (panel,) = answer(frames, legend).panels
    assert marks_of(panel) == ["line", "rule", "point", "point", "rule", "text"]
    assert sorted(rows(panel, "value")) == [0.5] * 4 + [0.6] * 4
    assert rows(panel, "mean") == [0.55] * 4
    shift = across.DODGE * 3 / 2  # of depths from 1 to 4, so that the two intervals stand side by side
    places = [1 - shift, 4 - shift, 1 + shift, 4 + shift]
    assert [row["place"] for row in panel.rows if row["mean"] is not None] == pytest.approx(places)


def test_lines_that_end_at_one_value_have_names_above_one_another(grid):
    frames, _, legend = grid(["relu", "sigmoid"], [1, 4])
    (panel,) = answer(frames, legend).panels
    assert rows(panel, "end") == [0.5, 0.5]
    low, high = rows(panel, "label")
    assert low < 0.5 < high


def test_one_depth_is_drawn_by_activation(grid):
    frames, _, legend = grid(["relu", "sigmoid"], [2])
    (panel,) = answer(frames, legend).panels
    assert marks_of(panel) == ["point"]
    assert panel.layers[0].to_dict()["encoding"]["x"]["field"] == "line"


def test_score_and_gain_stand_side_by_side_with_a_rule_where_the_gradient_keeps_its_size(grid):
    frames, records, legend = grid(["relu", "sigmoid"], [1, 4], seeds=2)
    figure = figures(frames, records, legend)[0]
    score, gain = figure.panels
    assert (figure.section, figure.columns) == ("answer", 2)
    assert [score.title, gain.title] == ["Test accuracy at the best epoch", "Gradient gain per layer, last epoch"]
    rule = gain.layers[0]
    assert (rule.mark.type, rule.data.values) == ("rule", [{"reference": 1.0}])
    low, high = rule.to_dict()["encoding"]["y"]["scale"]["domain"]
    assert low < 0.8 < 1.0 < high  # the gain is 0.8
    assert gain.layers[1].mark.baseline == "bottom"  # its words stand on the other side of the rule


def test_settings_of_one_activation_at_one_depth_stand_side_by_side(grid):
    frames, _, legend = grid(["relu"], [2], seeds=2)
    rates = ["optimizer.lr=0.01", "optimizer.lr=0.1"]
    tables = {
        name: pd.concat([getattr(frames, name).assign(variant=rate) for rate in rates]) for name in ("final", "seeds")
    }
    figure = answer(replace(frames, **tables), legend)
    (panel,) = figure.panels
    across = panel.layers[0].to_dict()["encoding"]["x"]
    assert (across["field"], across["sort"]) == ("setting", ["learning rate 0.01", "learning rate 0.1"])
    assert figure.title.endswith(", by learning rate")
    assert {row["setting"] for row in panel.rows} == set(across["sort"])
    assert {row["line"] for row in panel.rows} == {"ReLU"}  # which has a colour


def test_the_marks_of_the_last_activation_at_the_deepest_have_room(grid):
    frames, _, legend = grid(["elu", "gelu", "relu", "selu", "sigmoid", "tanh"], [1, 8], seeds=2)
    (panel,) = answer(frames, legend).panels
    low, high = panel.layers[0].to_dict()["encoding"]["x"]["scale"]["domain"]
    places = [row["place"] for row in panel.rows if row["place"] is not None]
    assert low <= min(places) < 1.0 < 8.0 < max(places) <= high


def test_a_panel_without_a_value_says_so(grid):
    frames, _, legend = grid(["relu", "sigmoid"], [1, 4])
    bare = frames.final.assign(variant="model.norm=none", mean=float("nan"))
    final = pd.concat([frames.final.assign(variant="model.norm=batch"), bare])
    batch, none = answer(replace(frames, final=final), legend).panels
    assert "none recorded" in json.dumps([layer.to_dict() for layer in none.layers])
    assert "none recorded" not in json.dumps([layer.to_dict() for layer in batch.layers])


def test_a_depth_without_a_gain_is_named(grid):
    frames, records, legend = grid(["relu"], [1, 4])
    without = (frames.final["metric"] == GAIN) & (frames.final["blocks"] == 1)
    reading = figures(replace(frames, final=frames.final[~without]), records, legend)[0].reading
    assert "so there is none with 1 block." in reading
    assert "so there is none" not in figures(frames, records, legend)[0].reading


def test_where_there_is_no_gain_the_ratio_of_first_to_last_stands_there_and_says_why(grid):
    frames, records, legend = grid(["relu"], [1, 4])
    final = frames.final.replace(GAIN, "grad_flow/first_to_last")
    figure = figures(replace(frames, final=final), records, legend)[0]
    assert figure.panels[1].title == "Gradient of the first hidden layer over that of the last, last epoch"
    assert "There is no gain per layer" in figure.reading


def test_without_gradients_the_score_stands_alone(grid):
    frames, records, legend = grid(["relu"], [1, 4])
    figure = figures(replace(frames, final=frames.final[frames.final["metric"] == HEADLINE]), records, legend)[0]
    assert [panel.title for panel in figure.panels] == ["Test accuracy at the best epoch"]
    assert "gradient" not in figure.reading


def test_what_is_shown_is_said_with_its_numbers(grid):
    frames, _, legend = grid(["relu", "sigmoid"], [1, 2, 4])
    is_sigmoid, blocks = frames.final["activation"] == "sigmoid", frames.final["blocks"]
    final = frames.final.assign(mean=0.96 - 0.11 * (blocks - 1) * is_sigmoid + 0.02 * (blocks == 2) * ~is_sigmoid)
    assert answer(replace(frames, final=final), legend).spoken == (
        "Test accuracy at the best epoch by hidden blocks: ReLU 96 to 98 %, sigmoid 96 falling to 63 %."
    )


def test_an_axis_ends_where_a_metric_does(grid):
    frames, *_ = grid(["relu"], [1, 2], seeds=2)  # the interval of 0.5 and 0.6 reaches beyond 0 and 1
    final = frames.final[frames.final["metric"] == HEADLINE]
    assert marks.domain(final, MetricTable()[HEADLINE]) == pytest.approx((-0.03, 1.03))
