"""A small picture of a function and its slope, as paths of an SVG."""

from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from gradflow import activations
from gradflow.activations.slopes import evaluate
from gradflow.lesson.facts import facts

REACH = 4.0  # z runs from -4 to 4
LOWEST, HIGHEST = -1.5, 3.0  # of the axis of values
SCALE = 10  # pixels a unit, the same on both axes
_KINKS = (-3.0, -1.0, 0.0, 1.0, 3.0)  # of any of the functions
_BESIDE = 1e-3


class Curve(NamedTuple):
    """Paths in a box of `WIDTH` by `HEIGHT` pixels, the origin at `ZERO`."""

    value: str
    slope: str
    colour: str


WIDTH, HEIGHT = round(2 * REACH * SCALE), round((HIGHEST - LOWEST) * SCALE)
ZERO = round(REACH * SCALE), round(HIGHEST * SCALE)


def curve(name: str, activation: nn.Module) -> Curve:
    """Of an elementwise activation, in the colour that it has in every figure."""
    beside = [kink + side for kink in _KINKS for side in (-_BESIDE, _BESIDE)]
    z = torch.from_numpy(np.unique([*np.linspace(-REACH, REACH, 33), *beside]))
    with torch.no_grad():
        value = evaluate(activation, z)
    colour = facts()["activations"][name]["colour"]
    return Curve(_path(z, value), _path(z, activations.slope(activation, z)), colour)


def _path(z: torch.Tensor, y: torch.Tensor) -> str:
    """What lies above or below the box is left out of sight by the SVG itself."""
    points = [
        (round(SCALE * (float(a) + REACH), 1), round(SCALE * (HIGHEST - float(b)), 1))
        for a, b in zip(z, y, strict=True)
    ]
    return "M" + "L".join(f"{across:g} {down:g}" for across, down in dict.fromkeys(points))
