"""The two pictures: what they contain, in which order, and that they become PNG files."""

import io

import numpy as np
import pytest
from PIL import Image

from gradflow.figures import of_a_run

RMS = {
    "first step": {"01_block": 1e-9, "02_block": 1e-5, "03_head": 0.1},
    "last epoch": {"01_block": 1e-3, "02_block": 0},
}
DEAD = {"before training": {"01_block": 0.0, "02_block": 0.5}, "end of training": {"01_block": 1.0, "02_block": 0.25}}


def rows(chart):
    return [tuple(row) for row in chart.data.itertuples(index=False)]


def field(channel):
    return channel["field"], channel["type"]


def test_the_gradient_is_drawn_on_a_logarithmic_axis_without_zeros():
    chart = of_a_run.gradient_by_depth(RMS)
    assert rows(chart) == [
        ("01_block", 1e-9, "first step"),
        ("02_block", 1e-5, "first step"),
        ("03_head", 0.1, "first step"),
        ("01_block", 1e-3, "last epoch"),
    ]
    encoding = chart.to_dict()["encoding"]
    assert encoding["y"]["scale"]["type"] == "log"
    assert field(encoding["x"]) == ("layer", "nominal")
    assert field(encoding["y"]) == ("value", "quantitative")
    assert encoding["color"]["sort"] == ["first step", "last epoch"]


def test_undefined_gradients_are_left_out():
    assert rows(of_a_run.gradient_by_depth({"last epoch": {"01_block": float("nan"), "02_block": 2.0}})) == [
        ("02_block", 2.0, "last epoch")
    ]


def test_dead_units_are_drawn_from_0_to_1_zeros_included():
    chart = of_a_run.dead_units_by_depth(DEAD)
    assert rows(chart) == [
        ("01_block", 0.0, "before training"),
        ("02_block", 0.5, "before training"),
        ("01_block", 1.0, "end of training"),
        ("02_block", 0.25, "end of training"),
    ]
    encoding = chart.to_dict()["encoding"]
    assert encoding["y"]["scale"]["domain"] == [0, 1]
    assert encoding["color"]["sort"] == encoding["xOffset"]["sort"] == ["before training", "end of training"]


@pytest.mark.parametrize("chart", [of_a_run.gradient_by_depth(RMS), of_a_run.dead_units_by_depth(DEAD)])
def test_pictures_are_png_with_something_on_them(chart):
    picture = Image.open(io.BytesIO(of_a_run.png(chart)))
    picture.load()
    assert picture.format == "PNG"
    assert picture.mode == "RGBA"
    assert min(picture.size) > 300
    assert np.asarray(picture.convert("L")).std() > 5
