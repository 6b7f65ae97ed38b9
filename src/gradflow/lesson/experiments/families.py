"""The activations of the lesson: every file in conf/activation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from hydra.utils import instantiate
from torch import nn

from gradflow import CONF
from gradflow.runs.words import ACTIVATIONS

MAXOUT = "maxout"  # the only one that is not a function of one input
KINDS = {  # in the order in which a student meets them
    "rectifiers": ("relu", "leaky_relu", "prelu", "rrelu", "elu", "celu", "selu", "relu6"),
    "sigmoid-like": ("sigmoid", "tanh", "softsign", "hardtanh"),
    "smooth rectifiers": ("gelu", "silu", "mish", "hard_swish", "softplus"),
    "others": ("identity", MAXOUT),
}


@dataclass(frozen=True)
class Family:
    """An activation function, with its usual parameters unless others are asked for.

    Attributes:
        name: of its file in conf/activation.
        title: its name for people.
        source: the first line of that file: what it is and who published it.
        arguments: of its constructor, including `_target_`.
    """

    name: str
    title: str
    source: str
    arguments: dict[str, Any]

    def make(self, **changes: float) -> nn.Module:
        """The module, in evaluation mode; `changes` are arguments of its constructor."""
        module: nn.Module = instantiate({**self.arguments, **changes})
        return module.eval()


def families() -> list[Family]:
    """Every named activation in conf/activation, in alphabetical order."""
    found = []
    for file in sorted((CONF / "activation").glob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        arguments = yaml.safe_load(text)
        name = arguments.pop("name")
        if name is not None:  # custom.yaml is the placeholder for the user's own
            found.append(Family(name, ACTIVATIONS[name], text.splitlines()[0].removeprefix("# "), arguments))
    return found


def by_kind() -> dict[str, list[Family]]:
    """The same, by `KINDS`."""
    found = by_name(families())
    return {kind: [found[name] for name in names] for kind, names in KINDS.items()}


def by_name(found: Sequence[Family]) -> dict[str, Family]:
    return {family.name: family for family in found}
