"""Small pictures of all activations, drawn when the page is built: for print, and for readers without JavaScript."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gradflow import activations
from gradflow.activations.slopes import evaluate
from gradflow.figures.palette import activation_colours
from gradflow.lesson.experiments.families import MAXOUT, Family, by_kind
from gradflow.lesson.facts import usual

_UNIT = 10.0  # of the picture for one unit of z, and for one of f(z): equal axes
_SPACING = 0.25  # of the points, in z
_KINKS = (-3.0, -1.0, 0.0, 1.0, 3.0, 6.0)  # of any of the functions
_BESIDE_A_KINK = 1e-3
_STRAIGHT = 0.05  # a point that is nearer to the line between its neighbours is left out
_VIEW = (-4.0, 4.0, -1.8, 3.0)  # of z and of f(z)
_WIDE_VIEW = (-4.0, 9.0, -1.4, 6.4)  # of the one that is flat above 6
_MAXOUT_EXAMPLES = (0.0, 0.25, -1.0)  # slopes of the second line; the first has slope 1


@dataclass(frozen=True)
class Thumbnail:
    """A function and its slope.

    Attributes:
        name: of the activation.
        title: its name for people.
        colour: the report's.
        functions: SVG paths; more than one where the function is learned.
        slope: an SVG path, empty where the function is learned.
        view: the `viewBox`.
    """

    name: str
    title: str
    colour: str
    functions: Sequence[str]
    slope: str
    view: str


def gallery() -> dict[str, list[Thumbnail]]:
    """Of every activation with its usual parameters, by kind."""
    colours = activation_colours(list(usual()))
    return {
        kind: [_maxout() if one.name == MAXOUT else _thumbnail(one, colours[one.name]) for one in found]
        for kind, found in by_kind().items()
    }


def _thumbnail(family: Family, colour: str) -> Thumbnail:
    view = _WIDE_VIEW if family.name == "relu6" else _VIEW
    function, slope = curves(family.make(), view[0], view[1])
    return Thumbnail(family.name, family.title, colour, [function], slope, _view_box(*view))


def _maxout() -> Thumbnail:
    """What a unit of two pieces can become: ReLU, leaky ReLU, the absolute value."""
    z = torch.tensor([_VIEW[0], 0.0, _VIEW[1]], dtype=torch.float64)
    paths = [_path(z, torch.maximum(z, second * z)) for second in _MAXOUT_EXAMPLES]
    return Thumbnail(MAXOUT, MAXOUT, "currentColor", paths, "", _view_box(*_VIEW))


def curves(activation: nn.Module, low: float, high: float) -> tuple[str, str]:
    """The function and its slope as SVG paths, for z from low to high."""
    beside = [kink + side for kink in _KINKS for side in (-_BESIDE_A_KINK, _BESIDE_A_KINK)]
    regular = torch.arange(low, high + _SPACING / 2, _SPACING, dtype=torch.float64)
    z = torch.cat([regular, torch.tensor([point for point in beside if low <= point <= high], dtype=torch.float64)])
    z = z.sort().values
    with torch.no_grad():
        value = evaluate(activation, z)
    return _path(z, value), _path(z, activations.slope(activation, z))


def _view_box(left: float, right: float, bottom: float, top: float) -> str:
    return " ".join(f"{_UNIT * number:g}" for number in (left, -top, right - left, top - bottom))


def _path(z: Tensor, y: Tensor) -> str:
    points = [(_UNIT * a, -_UNIT * b) for a, b in zip(z.tolist(), y.tolist(), strict=True)]
    kept = points[:1]
    for here, after in itertools.pairwise(points[1:]):
        if _distance(here, kept[-1], after) > _STRAIGHT:
            kept.append(here)
    return "M" + "L".join(f"{_rounded(x)} {_rounded(y)}" for x, y in [*kept, points[-1]])


def _rounded(coordinate: float) -> str:
    return f"{round(coordinate, 1) + 0.0:g}"  # + 0.0: no negative zero


def _distance(point: tuple[float, float], one: tuple[float, float], other: tuple[float, float]) -> float:
    """From a point to the line through two others."""
    across, up = other[0] - one[0], other[1] - one[1]
    area = abs(across * (point[1] - one[1]) - up * (point[0] - one[0]))
    return float(area / (across**2 + up**2) ** 0.5)
