"""What is known about any activation function, your own included: slope, range, gain, and whether it is elementwise."""

from gradflow.activations.facts import Facts, facts, gain, is_elementwise, largest_slope
from gradflow.activations.functions import FUNCTIONS, is_activation, module_of_call
from gradflow.activations.maxout import Maxout, pieces
from gradflow.activations.slopes import slope

__all__ = [
    "FUNCTIONS",
    "Facts",
    "Maxout",
    "facts",
    "gain",
    "is_activation",
    "is_elementwise",
    "largest_slope",
    "module_of_call",
    "pieces",
    "slope",
]
