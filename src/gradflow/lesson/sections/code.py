"""Code to copy for each activation."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from markupsafe import Markup, escape

from gradflow.lesson.experiments.families import by_kind
from gradflow.lesson.snippets import SNIPPETS

FRAMEWORKS = {"torch": "PyTorch", "keras": "Keras 3"}


@dataclass(frozen=True)
class Listing:
    """The code of one activation.

    Attributes:
        name: of the activation.
        title: its name for people.
        weights: how the initial weights are drawn, in words.
        code: framework -> its code; a parameter is an element that the page's script fills anew.
    """

    name: str
    title: str
    weights: str
    code: Mapping[str, Markup]


@dataclass(frozen=True)
class Code:
    """All of it; on a screen the page shows one at a time."""

    template: ClassVar[str] = "code.html"
    frameworks: Mapping[str, str]
    listings: Sequence[Listing]


def code() -> Code:
    listings = []
    for family in itertools.chain.from_iterable(by_kind().values()):
        snippet = SNIPPETS[family.name]
        texts = {"torch": snippet.torch, "keras": snippet.keras}
        marked = {framework: _marked(text, family.arguments) for framework, text in texts.items()}
        listings.append(Listing(family.name, family.title, snippet.weights, marked))
    return Code(FRAMEWORKS, listings)


def _marked(text: str, arguments: Mapping[str, Any]) -> Markup:
    """The code with its parameters as elements that hold their usual values."""

    def element(match: re.Match[str]) -> str:
        key = match[1]
        return f'<span data-parameter="{key}">{arguments[key]:.4g}</span>'

    return Markup(re.sub(r"\{(\w+)\}", element, str(escape(text))))
