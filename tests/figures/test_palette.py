"""Colours that stay the same from study to study."""

from gradflow.figures import palette


def test_an_activation_keeps_its_colour_from_study_to_study():
    one = palette.activation_colours(["relu", "sigmoid", "swoosh"])
    two = palette.activation_colours(["another", "sigmoid"])
    assert one["sigmoid"] == two["sigmoid"]
    assert len(set(one.values())) == 3
    assert len(set(palette.depth_colours([str(depth) for depth in range(8)]).values())) == 8
