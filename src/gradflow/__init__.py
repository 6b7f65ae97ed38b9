"""What does an activation function do to a network, as the network gets deeper?

`gradflow.load_network("outputs/…/seed=0")` is the trained network of a run.
"""

__version__ = "0.1.0"

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradflow.activations.replacement import replace_activations
    from gradflow.training.load import load_network

__all__ = ["CONF", "__version__", "load_network", "replace_activations"]

CONF = Path(__file__).resolve().parents[2] / "conf"  # the configuration groups
# Imported when they are used first: torch and Lightning take seconds.
_MODULES = {
    "load_network": "gradflow.training.load",
    "replace_activations": "gradflow.activations.replacement",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
