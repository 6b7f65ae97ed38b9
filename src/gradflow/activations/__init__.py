"""What is known about any activation function, your own included: slope, range, gain, and whether it is elementwise."""

from gradflow.activations.facts import Facts, facts, gain, is_elementwise, largest_slope
from gradflow.activations.maxout import Maxout, pieces
from gradflow.activations.replacement import replace_activations
from gradflow.activations.slopes import slope

__all__ = [
    "Facts",
    "Maxout",
    "facts",
    "gain",
    "is_elementwise",
    "largest_slope",
    "pieces",
    "replace_activations",
    "slope",
]
