"""What lies across a chart of final metrics: depths with activations side by side, or names."""

from collections.abc import Iterable

import altair as alt
import numpy as np
import pandas as pd

from gradflow.figures.marks import Legend

BLOCKS = "hidden blocks"
DODGE = 0.018  # of the range of depths, between two activations: intervals side by side, not on top of each other
_FEW_NAMES = 6  # stand below their marks without a slope


def placed(frame: pd.DataFrame, legend: Legend) -> pd.DataFrame:
    """Add the columns `place`, the depth shifted a little by activation, and `line`, the activation's name."""
    order = list(legend.colours)
    ranks = np.array([order.index(activation) for activation in frame["activation"]], dtype=float)
    place = frame["blocks"].to_numpy(float) + (ranks - (len(order) - 1) / 2) * _step(legend)
    return frame.assign(place=place, line=frame["activation"].map(legend.names))


def _step(legend: Legend) -> float:
    """In blocks, between two activations at one depth."""
    depths = [float(depth) for depth in legend.depths] or [0.0]
    return DODGE * max(depths[-1] - depths[0], 1.0) * min(1.0, 4 / len(legend.colours))


def depth_axis(legend: Legend, field: str) -> alt.X:
    depths = list(map(float, legend.depths))
    axis = alt.Axis(values=depths, format="d", grid=False, labelOverlap="greedy")
    widest = (len(legend.colours) - 1) / 2 * _step(legend)
    scale = alt.Scale(domain=[depths[0] - widest, depths[-1] + widest], zero=False, nice=False, padding=18)
    return alt.X(field=field, type="quantitative", title=BLOCKS, axis=axis, scale=scale)


def activations_axis(legend: Legend) -> alt.X:
    return names_axis("line", legend.names.values(), title=legend.compared)


def names_axis(field: str, names: Iterable[str], *, title: str | None = None) -> alt.X:
    order = list(names)
    axis = alt.Axis(labelAngle=0 if len(order) <= _FEW_NAMES else -45, labelLimit=200)
    return alt.X(field=field, type="nominal", title=title, axis=axis, sort=order)
