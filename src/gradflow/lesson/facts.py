"""What the page's scripts know about each activation beyond its formula."""

from typing import Any

from gradflow.figures.palette import activation_colours
from gradflow.lesson.experiments.families import families


def facts() -> dict[str, Any]:
    """`activations`: name -> its colour, the report's."""
    names = [family.name for family in families(most_values=1)]
    return {"activations": {name: {"colour": colour} for name, colour in activation_colours(names).items()}}
