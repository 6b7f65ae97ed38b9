"""Figures of units."""

from gradflow.report import unit_charts


def test_all_zero_units_are_mentioned_and_not_drawn(grid):
    frames, _, legend = grid(["relu"], [1])
    nothing = frames.units.assign(mean=0.0)
    figure = unit_charts.units(nothing, legend, quantity="dead_units")
    assert figure.panels == []
    assert figure.reading.startswith("None in any layer")
