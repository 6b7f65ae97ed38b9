"""What does an activation function do to a network, as the network gets deeper?

`L.Trainer(callbacks=gradflow.monitors())` measures any LightningModule, `gradflow.watch(network, optimizer)` a network
in a loop of your own; `gradflow.load_network("outputs/…/seed=0")` is the trained network of a run,
`gradflow.load("outputs/…")` what the runs of a study have measured, as frames.
"""

__version__ = "0.1.0"

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradflow.activations.replacement import replace_activations
    from gradflow.callbacks import monitors
    from gradflow.measure.watch import watch
    from gradflow.study.load import load
    from gradflow.training.load import load_network

__all__ = ["CONF", "__version__", "load", "load_network", "monitors", "replace_activations", "watch"]

CONF = (Path(__file__).parent / "conf").resolve()  # the configuration groups; in a checkout a link to conf/ at its top
# Imported when they are used first: torch, Lightning and pandas take seconds.
_MODULES = {
    "load": "gradflow.study.load",
    "load_network": "gradflow.training.load",
    "monitors": "gradflow.callbacks",
    "replace_activations": "gradflow.activations.replacement",
    "watch": "gradflow.measure.watch",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
