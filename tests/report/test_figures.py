"""Which figures a report has, and that every one is valid."""

import json

import altair as alt
import pytest

from gradflow.figures import panels
from gradflow.figures.panels import interactive, picture
from gradflow.report import layer_charts, training_charts
from gradflow.report.figures import figures


def vertical_scales(panel):
    return {layer.to_dict()["encoding"]["y"]["scale"]["type"] for layer in panel.layers}


def test_a_study_without_depths(grid):
    frames, records, legend = grid(["relu"], [None])
    assert legend.depths == {}
    assert all(interactive(figure, panel) for figure in figures(frames, records, legend) for panel in figure.panels)


def test_many_configurations_are_few_charts(grid):
    activations = [f"act{i}" for i in range(10)]
    frames, records, legend = grid(activations, [1, 2, 4])
    drawn = {figure.name: figure for figure in figures(frames, records, legend)}
    assert [len(drawn[name].panels) for name in ("answer", "learning_curves", "over_training")] == [2, 2, 3]
    assert len(drawn["dead_units"].panels) == 12
    before, after = drawn["gradient_by_layer"].panels
    assert before.multiples.titles == after.multiples.titles == activations
    assert len({(legend.colours[a], legend.shapes[a], legend.dashes[a]) for a in activations}) == 10


@pytest.mark.slow
def test_every_figure_is_valid_alone_and_in_the_page(grid):
    frames, records, legend = grid(["relu", "sigmoid"], [1, 2], seeds=2)
    drawn = figures(frames, records, legend)
    assert [figure.name for figure in drawn] == [
        "answer",
        "learning_curves",
        "over_training",
        "gradient_by_layer",
        "mean_gradient",
        "dead_units",
        "low_slope",
        "dormant_units",
        "units",  # in words: the share of low slope of one of the two
    ]
    for figure in drawn[:-1]:
        alt.ConcatChart.from_dict(picture(figure))  # raises what Vega-Lite's schema does not allow
        assert figure.spoken
        for panel in figure.panels:
            specification = interactive(figure, panel)
            alt.Chart.from_dict(specification)
            assert ("facet" in specification) or specification["width"] == "container"
            assert {"hidden_activations", "hidden_depths"} <= {p["name"] for p in specification["params"]}


def test_pictures_show_what_the_rows_say(grid, tmp_path):
    frames, _, legend = grid(["relu", "tanh"], [1, 2])
    figure = training_charts.learning_curves(frames, legend)
    panels.save(figure, tmp_path)
    spoken = (tmp_path / f"{figure.name}.svg").read_text()
    points = [row for panel in figure.panels for row in panel.rows]
    assert spoken.count('aria-roledescription="point"') == len(points)
    for row in figure.panels[0].rows:
        assert f"epoch: {row['epoch']}; mean: {100 * row['mean']:.4g}%; activation: {row['line']}" in spoken


def test_names_are_printable_in_the_rows_of_a_chart_too(grid):
    frames, _, legend = grid(["relu", "odd\x07name"], [1])
    figure = training_charts.over_training(frames, legend)
    rows = [row for panel in figure.panels for row in panel.rows]
    assert any("\x07" in row["activation"] for row in rows)
    assert all("\\u0007" not in json.dumps(interactive(figure, panel)) for panel in figure.panels)


def test_charts_of_many_points_are_pixels_instead_of_thousands_of_elements(grid, monkeypatch):
    monkeypatch.setattr(panels, "MANY_ROWS", 40)
    frames, _, legend = grid(["relu", "tanh"], [1])
    figure = training_charts.over_training(frames, legend)
    renderers = [interactive(figure, panel)["usermeta"]["embedOptions"]["renderer"] for panel in figure.panels]
    assert renderers == ["canvas", "svg", "canvas"]  # two runs, with 20 updates or 4 epochs each


def test_gradients_stand_on_logarithmic_axes(grid):
    frames, _, legend = grid(["relu"], [1, 2], seeds=2)
    _, _, norm, *_ = training_charts.over_training(frames, legend).panels
    for panel in (norm, *layer_charts.gradient_by_layer(frames.layers, legend).panels):
        assert vertical_scales(panel) == {"log"}


def test_one_depth_has_no_figure_of_the_mean_gradient_by_depth(grid):
    frames, records, legend = grid(["relu", "sigmoid"], [2])
    assert "mean_gradient" not in [figure.name for figure in figures(frames, records, legend)]
