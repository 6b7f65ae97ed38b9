"""Lines: how they differ from one another, and a mean with its band."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import altair as alt

from gradflow.figures.marks import Legend, ValueAxis, colour


@dataclass(frozen=True)
class Looks:
    """How lines differ: the channels of their colour, of their dashes, and of the shape of their marks."""

    color: alt.Color
    dash: alt.StrokeDash
    shape: alt.Shape


def looks_of_activations(legend: Legend) -> Looks:
    """Those of activations, for rows with the activation's name in the field `line`."""
    names = list(legend.names.values())
    colours = dict(zip(names, legend.colours.values(), strict=True))
    return _looks(names, colours, legend.shapes.values(), legend.dashes.values(), field="line", title=legend.compared)


def looks_of_depths(legend: Legend) -> Looks:
    """Those of depths, for rows with the depth as text in the field `depth`."""
    shapes, dashes = legend.depth_shapes.values(), legend.depth_dashes.values()
    return _looks(list(legend.depths), legend.depths, shapes, dashes, field="depth", title="hidden blocks")


def _looks(
    names: list[str],
    colours: Mapping[str, str],
    shapes: Iterable[str],
    dashes: Iterable[Sequence[int]],
    *,
    field: str,
    title: str,
) -> Looks:
    scales = [alt.Scale(domain=names, range=list(values)) for values in (map(list, dashes), shapes)]
    return Looks(
        color=colour(colours, field=field, title=title),
        dash=alt.StrokeDash(field=field, type="nominal", title=title, scale=scales[0]),
        shape=alt.Shape(field=field, type="nominal", title=title, scale=scales[1]),
    )


def banded_line(*, x: alt.X, y: ValueAxis, looks: Looks, points: bool) -> list[alt.Chart]:
    """A mean with the band of its interval, and with a mark at each point if `points`."""
    base = alt.Chart().encode(x=x, color=looks.color)
    band = base.mark_area(fillOpacity=0.18, clip=True, line=False).encode(y=y.of("low"), y2="high:Q")
    line = base.mark_line(strokeWidth=1.8, clip=True).encode(y=y.of("mean"), strokeDash=looks.dash)
    if not points:
        return [band, line]
    return [
        band,
        line,
        base.mark_point(filled=True, size=36, opacity=1, clip=True).encode(y=y.of("mean"), shape=looks.shape),
    ]
