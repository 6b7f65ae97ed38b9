"""Figures over training: panels, layers, axes, data."""

import pytest
from drawn import marks_of
from forged_runs import typical, write_run

from gradflow.figures.marks import legend_of
from gradflow.report import training_charts
from gradflow.report.frames import MOST_POINTS, study_frames
from gradflow.study.records import study_runs

QUANTITIES = ["Training loss of a batch (nats)", "Training accuracy", "Gradient norm"]


def scale_of(panel):
    return panel.layers[0].to_dict()["encoding"]["y"]["scale"]["domain"]


def test_scores_and_losses_by_epoch_have_a_row_each_with_a_plot_for_each_depth(grid):
    frames, _, legend = grid(["relu", "sigmoid"], [1, 4], seeds=2)
    figure = training_charts.learning_curves(frames, legend)
    assert [panel.title for panel in figure.panels] == ["Validation accuracy", "Training loss (nats)"]
    for panel in figure.panels:
        assert (panel.multiples.titles, panel.multiples.columns) == (["1 block", "4 blocks"], 2)
    assert figure.reading.startswith("A column for each depth. Lines are means over the seeds")
    # Of accuracies 0.5 and 0.6 the mean at the end, the same at both depths.
    assert figure.spoken.startswith(
        "Validation accuracy by hidden blocks at the end of training: ReLU 55 %, sigmoid 55 %."
    )


def test_a_loss_that_is_no_cross_entropy_has_no_unit(tmp_path):
    write_run(tmp_path, majority_share=None, **typical())
    frames, figure = over_training(tmp_path)
    curves = training_charts.learning_curves(frames, legend_of(frames.final))
    titles = [panel.title for panel in (*curves.panels, *figure.panels)]
    assert [title for title in titles if "loss" in title] == ["Training loss", "Training loss of a batch"]


def test_a_run_that_ended_early_is_said_with_its_own_end(tmp_path):
    for activation, epochs in (("relu", 4), ("tanh", 2)):
        write_run(tmp_path, activation=activation, **typical(accuracy=0.8, epochs=epochs, steps=5 * epochs))
    frames = study_frames(tmp_path, study_runs(tmp_path))
    said = training_charts.learning_curves(frames, legend_of(frames.final)).spoken
    assert said.startswith("Validation accuracy at the end of training: ReLU 80 %, tanh 80 %.")


def test_one_depth_and_one_seed_speak_of_neither_columns_nor_intervals(grid):
    frames, _, legend = grid(["relu"], [2])
    figure = training_charts.learning_curves(frames, legend)
    assert figure.reading.startswith("Lines are runs.")


def test_loss_score_and_gradient_norm_stand_side_by_side_with_a_row_for_each_depth(grid):
    frames, _, legend = grid(["relu", "sigmoid"], [1, 4], seeds=2)
    figure = training_charts.over_training(frames, legend)
    assert [panel.title for panel in figure.panels] == QUANTITIES
    assert figure.columns == 3
    for panel in figure.panels:
        assert (panel.multiples.titles, panel.multiples.columns) == (["1 block", "4 blocks"], 1)
    loss, score, _ = figure.panels
    assert marks_of(loss) == ["area", "line"]  # too many points to mark each of them
    assert marks_of(score) == ["area", "line", "point"]
    assert score.layers[0].to_dict()["encoding"]["x"]["axis"]["values"] == [1, 2, 3, 4]
    row = next(row for row in loss.rows if row["activation"] == "relu" and row["update"] == 10)
    assert row["mean"] == 1.725  # 2 - accuracy * 10 / 20 with accuracies 0.5 and 0.6: 1.75 and 1.7


def test_of_many_depths_three_are_shown_by_update_and_the_others_named(grid):
    frames, _, legend = grid(["relu"], [1, 2, 4, 6, 8])
    figure = training_charts.over_training(frames, legend)
    assert figure.panels[0].multiples.titles == ["1 block", "4 blocks", "8 blocks"]
    assert {row["depth"] for row in figure.panels[0].rows} == {"1", "4", "8"}
    assert "Not shown: 2 and 6 blocks" in figure.reading


def over_training(study):
    """The frames of a study, and the figure that is made of them."""
    frames = study_frames(study, study_runs(study))
    return frames, training_charts.over_training(frames, legend_of(frames.final))


def test_where_points_stand_for_several_updates_their_spread_is_drawn(tmp_path):
    write_run(tmp_path, **typical(accuracy=0.5, steps=2 * MOST_POINTS))
    frames, figure = over_training(tmp_path)
    loss, score, norm = figure.panels
    assert marks_of(loss) == marks_of(norm) == ["area", "area", "line"]  # single updates, interval, mean
    assert marks_of(score) == ["area", "line", "point"]
    assert "mean of up to 2 updates" in figure.reading
    # Two updates with losses 2 and 2 - 0.5 / 400: 5 % of the way from the lower to the higher.
    assert frames.training["p5"][0] == pytest.approx(2 - 0.95 * 0.5 / 400)


def test_first_losses_far_above_the_others_are_cut_off_with_a_note(tmp_path):
    run = typical(steps=200)
    run["curves"]["train/loss_step"][0] = 80.0
    write_run(tmp_path, **run)
    _, figure = over_training(tmp_path)
    low, high = scale_of(figure.panels[0])
    assert 1.0 < low < 1.11  # the last loss is 1.1
    assert 1.98 < high < 2.1
    assert "cut off" in figure.reading


def test_only_what_was_recorded_stands_side_by_side(tmp_path):
    run = typical()
    run["curves"] = {tag: curve for tag, curve in run["curves"].items() if tag != "train/loss_step"}
    write_run(tmp_path, **run)
    _, figure = over_training(tmp_path)
    assert [panel.title for panel in figure.panels] == QUANTITIES[1:]
    assert figure.title == "Training accuracy and gradient norm over training"
    assert figure.columns == 2
