"""Lines that are clipped together look as if each were clipped by itself."""

import io

import altair as alt
import numpy as np
import pandas as pd
import pytest
import vl_convert
from PIL import Image

from gradflow.figures.clips import clipped_once


def drawn(*, clip):
    """Three lines that leave the plot at the top, beside one another in two plots of a row, and their points."""
    rows = pd.DataFrame(
        [(plot, line, x, line * x * x) for plot in ("a", "b") for line in (1, 2, 3) for x in range(8)],
        columns=["plot", "line", "x", "y"],
    )
    y = alt.Y("y:Q", scale=alt.Scale(domain=[0, 40], nice=False))
    base = alt.Chart().encode(x="x:Q", y=y, color="line:N")
    marks = alt.layer(base.mark_line(clip=clip), base.mark_point(clip=clip), base.mark_area(fillOpacity=0.2, clip=clip))
    chart = marks.properties(width=90, height=70, data=rows).facet("plot:N")
    return vl_convert.vegalite_to_svg(chart.to_dict())


def pixels(svg):
    return np.asarray(Image.open(io.BytesIO(vl_convert.svg_to_png(svg, scale=2.0))).convert("RGBA")).astype(int)


@pytest.mark.slow
def test_lines_that_are_clipped_together_look_as_if_each_were():
    svg = drawn(clip=True)
    once = clipped_once(svg)
    assert (svg.count("clip-path="), once.count("clip-path=")) == (2 * (3 + 1 + 3), 2 * 3)
    assert np.abs(pixels(once) - pixels(svg)).max() <= 8
    unclipped = once.replace("clip-path=", "data-no-clip-path=")
    assert np.abs(pixels(unclipped) - pixels(svg)).max() > 100


def test_a_group_in_another_place_keeps_its_own_clips():
    svg = drawn(clip=True)
    moved = svg.replace('<g transform="translate(0,0)">', '<g transform="translate(1,0)">')
    assert clipped_once(moved).count("clip-path=") == svg.count("clip-path=")
    assert clipped_once(drawn(clip=False)).count("clip-path=") == 0
