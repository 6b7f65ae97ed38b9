"""Figures over training: panels, layers, axes, data."""

import pytest
from drawn import marks_of
from forged_runs import typical, write_run

from gradflow.figures.marks import legend_of
from gradflow.report import training_charts
from gradflow.report.frames import MOST_POINTS, study_frames
from gradflow.study.records import study_runs


def test_loss_score_and_gradient_norm_stand_side_by_side_a_row_for_each_depth(grid):
    frames, _, legend = grid(["relu", "sigmoid"], [1, 4], seeds=2)
    figure = training_charts.over_training(frames, legend)
    quantities = ("loss of a batch", "training accuracy", "gradient norm")
    assert [p.title for p in figure.panels] == [f"{q}, {d}" for d in ("1 block", "4 blocks") for q in quantities]
    assert figure.columns == 3
    assert [marks_of(panel) for panel in figure.panels[:3]] == [["area", "line", "point"]] * 3
    score = figure.panels[1].chart.to_dict()
    assert score["layer"][0]["encoding"]["x"]["axis"]["values"] == [1, 2, 3, 4]
    row = next(row for row in figure.panels[0].chart.data.values if row["activation"] == "relu" and row["update"] == 10)
    assert row["mean"] == 1.725  # 2 - accuracy * 10 / 20 with accuracies 0.5 and 0.6: 1.75 and 1.7


def over_training(study):
    """The frames of a study, and the figure that is made of them."""
    frames = study_frames(study, study_runs(study))
    return frames, training_charts.over_training(frames, legend_of(frames.final))


def test_where_points_stand_for_several_updates_their_spread_is_drawn(tmp_path):
    write_run(tmp_path, **typical(accuracy=0.5, steps=2 * MOST_POINTS))
    frames, figure = over_training(tmp_path)
    loss, score, norm = figure.panels
    assert marks_of(loss) == marks_of(norm) == ["area", "area", "line", "point"]  # single updates, interval, mean
    assert marks_of(score) == ["area", "line", "point"]
    assert "mean of up to 2 updates" in figure.reading
    # Two updates with losses 2 and 2 - 0.5 / 400: 5 % of the way from the lower to the higher.
    assert frames.training["p5"][0] == pytest.approx(2 - 0.95 * 0.5 / 400)


def test_first_losses_far_above_the_others_are_cut_off_with_a_note(tmp_path):
    run = typical(steps=200)
    run["curves"]["train/loss_step"][0] = 80.0
    write_run(tmp_path, **run)
    _, figure = over_training(tmp_path)
    low, high = figure.panels[0].chart.to_dict()["layer"][0]["encoding"]["y"]["scale"]["domain"]
    assert 1.0 < low < 1.11  # the last loss is 1.1
    assert 1.98 < high < 2.1
    assert "cut off" in figure.reading


def test_only_what_was_recorded_stands_side_by_side(tmp_path):
    run = typical()
    run["curves"] = {tag: curve for tag, curve in run["curves"].items() if tag != "train/loss_step"}
    write_run(tmp_path, **run)
    _, figure = over_training(tmp_path)
    assert [panel.title for panel in figure.panels] == ["training accuracy, 2 blocks", "gradient norm, 2 blocks"]
    assert figure.columns == 2
