"""The activations of the lesson: every file in conf/activation, with the values of its parameter."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import yaml
from hydra.utils import instantiate
from torch import Tensor, nn

from gradflow import CONF
from gradflow.activations import Maxout

MAXOUT = "maxout"


@dataclass(frozen=True)
class Parameter:
    """A number that a reader can change.

    Attributes:
        key: argument of the module's constructor.
        label: its name for readers.
        values: in ascending order, including the default.
        default: as in conf/activation.
    """

    key: str
    label: str
    values: tuple[float, ...]
    default: float


@dataclass(frozen=True)
class Family:
    """An activation function with at most one free parameter.

    Attributes:
        name: of its file in conf/activation.
        source: the first line of that file: what it is and who published it.
        arguments: of its constructor, including `_target_`.
        parameter: None if there is nothing to change.
    """

    name: str
    source: str
    arguments: dict[str, Any]
    parameter: Parameter | None

    @property
    def values(self) -> tuple[float | None, ...]:
        """The parameter's values; a single None without a parameter."""
        return self.parameter.values if self.parameter else (None,)

    @property
    def default(self) -> float | None:
        return self.parameter.default if self.parameter else None

    def make(self, value: float | None = None) -> nn.Module:
        """The module with this value of its parameter; without a value, with the default of conf/activation."""
        chosen = {self.parameter.key: value} if self.parameter and value is not None else {}
        module: nn.Module = instantiate({**self.arguments, **chosen})
        return module.eval()


class TwoPieces(nn.Module):
    """Maxout of two pieces as a function of one input: the larger of z and `second` z.

    A maxout unit has no fixed curve, because it learns its pieces; these two show what it can become: ReLU at 0, the
    absolute value at -1, leaky ReLU between 0 and 1.
    """

    def __init__(self, second: float) -> None:
        super().__init__()
        self.second = second
        self.maxout = Maxout(pieces=2)

    def forward(self, z: Tensor) -> Tensor:
        """Any shape to the same shape."""
        pieces_N2 = torch.stack([z.flatten(), self.second * z.flatten()], dim=1)
        return self.maxout(pieces_N2).reshape(z.shape)


# name -> (constructor's argument, name for readers, values); the default of conf/activation is added.
_PARAMETERS: dict[str, tuple[str, str, tuple[float, ...]]] = {
    "leaky_relu": ("negative_slope", "leak", (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)),
    "prelu": ("init", "learned slope below zero", (-0.25, 0.0, 0.1, 0.5, 0.75, 1.0)),
    "elu": ("alpha", "alpha", (0.1, 0.25, 0.5, 0.75, 1.25, 1.5, 2.0)),
    "celu": ("alpha", "alpha", (0.1, 0.25, 0.5, 0.75, 1.25, 1.5, 2.0)),
    "softplus": ("beta", "beta", (0.25, 0.5, 0.75, 2.0, 3.0, 5.0, 10.0)),
}
_MAXOUT_PARAMETER = Parameter("second", "slope of the second piece", (-1.0, -0.5, 0.0, 0.25, 0.5, 2.0), 0.0)


def families(*, most_values: int) -> list[Family]:
    """Every named activation in conf/activation, in alphabetical order.

    Args:
        most_values: most values of a parameter, at least 1; the default is always included.
    """
    found = []
    for file in sorted((CONF / "activation").glob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        arguments = yaml.safe_load(text)
        name = arguments.pop("name")
        if name is None:  # custom.yaml, the placeholder for the user's own
            continue
        source = text.splitlines()[0].removeprefix("# ")
        if name == MAXOUT:
            arguments = {"_target_": f"{__name__}.{TwoPieces.__name__}", "second": _MAXOUT_PARAMETER.default}
        found.append(Family(name, source, arguments, _parameter(name, arguments, most_values)))
    return found


def by_name(found: Sequence[Family]) -> dict[str, Family]:
    return {family.name: family for family in found}


def _parameter(name: str, arguments: dict[str, Any], most_values: int) -> Parameter | None:
    if name == MAXOUT:
        values, default = _MAXOUT_PARAMETER.values, _MAXOUT_PARAMETER.default
        return Parameter(
            _MAXOUT_PARAMETER.key, _MAXOUT_PARAMETER.label, _thinned(values, default, most_values), default
        )
    if name not in _PARAMETERS:
        return None
    key, label, values = _PARAMETERS[name]
    default = float(arguments[key])
    return Parameter(key, label, _thinned(values, default, most_values), default)


def _thinned(values: Sequence[float], default: float, most: int) -> tuple[float, ...]:
    """The default and the first of the others, in ascending order."""
    others = [value for value in values if value != default]
    return tuple(sorted([default, *others[: most - 1]]))
