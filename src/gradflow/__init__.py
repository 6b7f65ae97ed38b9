"""What does an activation function do to a network, as the network gets deeper?

`gradflow.load_network("outputs/…/seed=0")` is the trained network of a run.
"""

__version__ = "0.1.0"

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradflow.training.load import load_network

__all__ = ["CONF", "__version__", "load_network"]

CONF = (Path(__file__).parent / "conf").resolve()  # the configuration groups; in a checkout a link to conf/ at its top


def __getattr__(name: str) -> Any:
    """Import torch and Lightning, which takes seconds, only when a network is to be loaded."""
    if name != "load_network":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from gradflow.training.load import load_network

    return load_network
