"""Hydra's own settings that gradflow sets itself: refused in one line, before Hydra has made a folder."""

from collections.abc import Mapping
from typing import Any

from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from gradflow.errors import ConfigError, shown

SWEEPER = "hydra_plugins.gradflow_sweeper.sweeper.GradflowSweeper"
_FOLDERS = "a run's folder is output_dir/study/CONFIGURATION/seed=N; use output_dir=FOLDER or study=NAME"
# Key -> the values that it may have, and what to do instead of setting another. Those of conf/train.yaml come first.
OWN: dict[str, tuple[tuple[Any, ...], str]] = {
    "hydra.mode": ((RunMode.MULTIRUN,), "a single run is a sweep of one; leave it out"),
    "hydra.sweeper._target_": (
        (SWEEPER,),
        "gradflow's own sweeper plans and checks every run before the first one starts; leave hydra/sweeper out",
    ),
    "hydra.sweep.dir": ((".",), _FOLDERS),
    "hydra.sweep.subdir": ((".",), _FOLDERS),
    "hydra.run.dir": ((".",), _FOLDERS),
    "hydra.output_subdir": ((None,), "the configuration is always written to .hydra in the run's folder; leave it out"),
    "hydra.job.chdir": (
        (None, False),
        "relative paths such as data.path would mean another file in each run; leave it out",
    ),
}


def check(hydra: Mapping[str, Any]) -> None:
    """Refuse settings that would undo what gradflow does.

    Args:
        hydra: dotted key -> value, for each key of `OWN`.

    Raises:
        ConfigError: naming key, value and remedy.
    """
    for key, (allowed, remedy) in OWN.items():
        if hydra[key] not in allowed:
            value = hydra[key].name if isinstance(hydra[key], RunMode) else shown(hydra[key])
            raise ConfigError(f"{key}={value}: {remedy}")


def of(composed: DictConfig) -> dict[str, Any]:
    """What `check` looks at of a composed configuration, Hydra's node included."""
    return {key: OmegaConf.select(composed, key) for key in OWN}


class OwnSettings(Callback):
    """Checks as Hydra makes it, before anything else: conf/hydra/callbacks/gradflow.yaml passes the settings."""

    def __init__(self, **settings: Any) -> None:
        check({f"hydra.{key}": value for key, value in settings.items()})
