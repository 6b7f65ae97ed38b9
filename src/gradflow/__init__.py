"""What does an activation function do to a network, as the network gets deeper?

`gradflow.load_network("outputs/…/seed=0")` is the trained network of a run, `gradflow.load("outputs/…")` what the runs
of a study have measured, as frames.
"""

__version__ = "0.1.0"

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradflow.study.load import load
    from gradflow.training.load import load_network

__all__ = ["CONF", "__version__", "load", "load_network"]

CONF = (Path(__file__).parent / "conf").resolve()  # the configuration groups; in a checkout a link to conf/ at its top


def __getattr__(name: str) -> Any:
    """Import torch and Lightning, or pandas, which takes seconds, only when they are needed."""
    if name == "load":
        from gradflow.study.load import load

        return load
    if name != "load_network":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from gradflow.training.load import load_network

    return load_network
