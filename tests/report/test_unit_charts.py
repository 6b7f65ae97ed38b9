"""Maps of units: only of what is out of the ordinary; the rest in words."""

import pytest

from gradflow.figures.palette import ALARM, NEUTRAL
from gradflow.report import unit_charts


@pytest.fixture
def maps(grid):
    """`maps(shares)`: the figures of ReLU and sigmoid, by name; `shares` gives (statistic, activation) its share."""
    frames, _, legend = grid(["relu", "sigmoid"], [1, 4], seeds=2)

    def make(shares):
        keys = zip(frames.units["quantity"], frames.units["activation"], strict=True)
        units = frames.units.assign(mean=[shares.get(key, 0.0) for key in keys])
        return {figure.name: figure for figure in unit_charts.unit_maps(units, legend, sigmoid_like={"sigmoid"})}

    return make


def test_without_dead_saturated_and_dormant_units_a_sentence_says_so_and_nothing_is_drawn(maps):
    figures = maps({("low_slope", "sigmoid"): 0.03})
    assert list(figures) == ["units"]
    assert figures["units"].panels == []
    said = figures["units"].reading
    assert said.startswith("No dead units in any layer of any network at any epoch (units whose slope is zero")
    assert "sigmoid at most 3 % of the entries" in said
    assert "No dormant units" in said


def test_where_no_entry_is_saturated_none_is_said_rather_than_0_per_cent(maps):
    said = maps({("low_slope", "relu"): 0.5})["units"].reading
    assert "Of the others: sigmoid none of the entries." in said
    assert " 0 %" not in said


def test_the_usual_sparsity_of_relu_is_words_and_no_map(maps):
    figures = maps({("low_slope", "relu"): 0.5})
    assert list(figures) == ["units"]
    assert "ReLU 50 %, the usual sparsity of a function that is flat on one side" in figures["units"].reading


def test_dead_units_are_drawn_in_the_colour_of_alarm_where_there_are_any(maps):
    figures = maps({("dead_units", "relu"): 0.25})
    dead = figures["dead_units"]
    assert [panel.title for panel in dead.panels] == ["ReLU, 1 block", "ReLU, 4 blocks"]
    assert dead.heat == ("0 %", "25 %", ALARM)
    assert dead.spoken == "Dead units, highest share of a layer: ReLU, 1 block 25 %, ReLU, 4 blocks 25 %."
    assert "No dead units in the other networks" in figures["units"].reading


@pytest.mark.parametrize(("activation", "share"), [("sigmoid", 0.2), ("relu", 0.9)])
def test_saturation_and_a_relu_that_is_nearly_flat_everywhere_are_drawn_in_neutral_colours(maps, activation, share):
    low_slope = maps({("low_slope", activation): share})["low_slope"]
    assert {panel.activation for panel in low_slope.panels} == {activation}
    assert low_slope.heat.colours == NEUTRAL


def test_a_layer_that_is_dead_as_a_whole_is_said_to_be(maps):
    assert "ReLU, 1 block 100 %" in maps({("dead_units", "relu"): 1.0})["dead_units"].spoken
    assert "ReLU, 1 block 99.9 %" in maps({("dead_units", "relu"): 0.999})["dead_units"].spoken


def test_of_many_networks_the_worst_are_drawn_and_the_others_counted(grid):
    frames, _, legend = grid(["relu"], list(range(1, 15)))
    units = frames.units.assign(mean=frames.units["blocks"].astype(float) / 100)
    dead = unit_charts.unit_maps(units, legend, sigmoid_like=set())[0]
    assert [panel.depth for panel in dead.panels] == [str(blocks) for blocks in range(3, 15)]
    assert "2 networks with lower shares not shown" in dead.reading
