"""What the figures are made of: panels, layers, colours, data."""

import pytest
from study_folders import typical, write_run

from gradflow.figures import marks, palette
from gradflow.figures.marks import legend_of
from gradflow.figures.panels import interactive, picture
from gradflow.runs.labels import Label, label
from gradflow.study.records import study_runs
from gradflow.study.report import depth_charts, training_charts, unit_charts
from gradflow.study.report.figures import figures
from gradflow.study.report.frames import MOST_POINTS, study_frames

HEADLINE = "test/acc_at_best"


@pytest.fixture
def grid(tmp_path):
    """`grid(activations, depths, seeds)`: frames, records and legend of a study."""

    def make(activations, depths, seeds=1):
        for activation in activations:
            for blocks in depths:
                for seed in range(seeds):
                    run = typical(blocks=blocks, accuracy=0.5 + 0.1 * seed)
                    write_run(tmp_path, activation=activation, seed=seed, **run)
        records = study_runs(tmp_path)
        frames = study_frames(tmp_path, records)
        return frames, records, legend_of(frames.final)

    return make


def marks_of(panel):
    return [layer["mark"]["type"] for layer in panel.chart.to_dict()["layer"]]


def vertical_scales(panel):
    return {layer["encoding"]["y"]["scale"]["type"] for layer in panel.chart.to_dict()["layer"]}


def headline(frames, legend):
    return depth_charts.by_depth(
        frames.final, frames.seeds, legend, metric=HEADLINE, label=label(HEADLINE), name="headline", reading=""
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


def test_a_study_without_depths(grid):
    frames, records, legend = grid(["relu"], [None])
    assert legend.depths == {}
    assert all(interactive(figure, panel) for figure in figures(frames, records, legend) for panel in figure.panels)


@pytest.mark.slow
def test_many_configurations_have_one_panel_a_depth(grid):
    activations = [f"act{i}" for i in range(10)]
    frames, records, legend = grid(activations, [1, 2, 4])
    drawn = {figure.name: figure for figure in figures(frames, records, legend)}
    assert [panel.title for panel in drawn["validation"].panels] == ["1 block", "2 blocks", "4 blocks"]
    assert len(drawn["gradient_by_layer"].panels) == 20
    assert len({(legend.colours[a], legend.shapes[a]) for a in activations}) == 10


@pytest.mark.slow
def test_every_figure_is_valid_alone_and_in_the_page(grid):
    frames, records, legend = grid(["relu", "sigmoid"], [1, 2], seeds=2)
    drawn = figures(frames, records, legend)
    assert [figure.name for figure in drawn] == [
        "headline",
        "validation",
        "training_loss",
        "gradient_by_layer",
        "over_training",
        "decades_per_layer",
        "mean_gradient",
        "dead_units",
        "low_slope",
        "dormant_units",
    ]
    for figure in drawn:
        assert picture(figure).to_dict()["concat"]
        for panel in figure.panels:
            specification = interactive(figure, panel)
            assert specification["width"] == "container"
            assert {"hidden_activations", "hidden_depths"} <= {p["name"] for p in specification["params"]}


def test_gradients_stand_on_logarithmic_axes(grid):
    frames, _, legend = grid(["relu"], [1, 2], seeds=2)
    _, _, norm, *_ = training_charts.over_training(frames, legend).panels
    for panel in (norm, *depth_charts.gradient_by_layer(frames.layers, legend).panels):
        assert vertical_scales(panel) == {"log"}


def test_all_zero_units_are_said_and_not_drawn(grid):
    frames, *_ = grid(["relu"], [1])
    nothing = frames.units.assign(mean=0.0)
    figure = unit_charts.units(nothing, quantity="dead_units")
    assert figure.panels == []
    assert figure.reading.startswith("None in any layer")


def test_an_activation_keeps_its_colour_from_study_to_study():
    one = palette.activation_colours(["relu", "sigmoid", "swoosh"])
    two = palette.activation_colours(["another", "sigmoid"])
    assert one["sigmoid"] == two["sigmoid"]
    assert len(set(one.values())) == 3
    assert len(set(palette.depth_colours([str(depth) for depth in range(8)]).values())) == 8


def test_an_axis_ends_where_a_metric_does(grid):
    frames, *_ = grid(["relu"], [1, 2], seeds=2)  # the interval of 0.5 and 0.6 reaches beyond 0 and 1
    final = frames.final[frames.final["metric"] == HEADLINE]
    assert marks.domain(final, label(HEADLINE)) == pytest.approx((-0.03, 1.03))
    magnitudes = final.assign(mean=1.0, low=1e-30, high=1e30)
    low, high = marks.domain(magnitudes, Label(text="", is_logarithmic=True))
    assert low > 0.01
    assert high < 100


def test_selected_on_test_is_said_of_scores_at_the_best_epoch():
    chosen = [{"selected_on": "test"}]
    assert label(HEADLINE, chosen).with_unit == "test accuracy at the best epoch, selected on test (%)"
    anew = "test accuracy, precise batch norm (%)"
    assert label("test/acc_precise_bn", chosen).with_unit == anew
    assert label("test/acc", chosen).with_unit == "test accuracy (%)"
    assert label(HEADLINE, [{"selected_on": "validation"}]).with_unit == "test accuracy at the best epoch (%)"


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


def test_where_points_stand_for_several_updates_their_spread_is_drawn(tmp_path):
    write_run(tmp_path, **typical(accuracy=0.5, steps=2 * MOST_POINTS))
    records = study_runs(tmp_path)
    frames = study_frames(tmp_path, records)
    figure = training_charts.over_training(frames, legend_of(frames.final))
    loss, score, norm = figure.panels
    assert marks_of(loss) == marks_of(norm) == ["area", "area", "line", "point"]  # single updates, interval, mean
    assert marks_of(score) == ["area", "line", "point"]
    assert "mean of up to 2 updates" in figure.reading
    # Two updates with losses 2 and 2 - 0.5 / 400: 5 % of the way from the lower to the higher.
    assert frames.training["p5"][0] == pytest.approx(2 - 0.95 * 0.5 / 400)


def test_first_losses_far_above_the_others_are_cut_off_and_told(tmp_path):
    run = typical(steps=200)
    run["curves"]["train/loss_step"][0] = 80.0
    write_run(tmp_path, **run)
    records = study_runs(tmp_path)
    frames = study_frames(tmp_path, records)
    figure = training_charts.over_training(frames, legend_of(frames.final))
    low, high = figure.panels[0].chart.to_dict()["layer"][0]["encoding"]["y"]["scale"]["domain"]
    assert 1.0 < low < 1.11  # the last loss is 1.1
    assert 1.98 < high < 2.1
    assert "cut off" in figure.reading


def test_only_what_was_recorded_stands_side_by_side(tmp_path):
    run = typical()
    run["curves"] = {tag: curve for tag, curve in run["curves"].items() if tag != "train/loss_step"}
    write_run(tmp_path, **run)
    records = study_runs(tmp_path)
    frames = study_frames(tmp_path, records)
    figure = training_charts.over_training(frames, legend_of(frames.final))
    assert [panel.title for panel in figure.panels] == ["training accuracy, 2 blocks", "gradient norm, 2 blocks"]
    assert figure.columns == 2


def test_one_depth_has_no_figure_of_the_mean_gradient_by_depth(grid):
    frames, records, legend = grid(["relu", "sigmoid"], [2])
    assert "mean_gradient" not in [figure.name for figure in figures(frames, records, legend)]
