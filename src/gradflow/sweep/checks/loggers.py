"""Can the loggers log on this machine, and do their classes take what they are given?"""

import importlib.util
import inspect
from collections.abc import Mapping
from typing import Any

from hydra.utils import get_object
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig

from gradflow.errors import ConfigError, shown
from gradflow.runs.further_logger import FurtherLogger
from gradflow.sweep.checks import arguments, schema
from gradflow.training import build


def check(cfg: DictConfig, chosen: Any) -> None:
    """Refuse loggers that cannot be built, whose package is not installed, or that could not log.

    Args:
        cfg: the composed configuration.
        chosen: the group `logger` of it, as plain data.

    Raises:
        ConfigError: naming key, value and remedy.
    """
    if not isinstance(chosen, dict):
        raise ConfigError(f"logger={shown(chosen)}: use logger=none to write no curves")
    further = build.further_loggers(cfg)
    own = {key: value for key, value in chosen.items() if key not in further}
    arguments.check("logger", {build.TARGET: build.RECORD, **own}, schema.NoOption)
    _check_record(own.get(build.TARGET))
    for name in further:
        _check_further(f"logger.{name}", chosen[name])


def _check_record(target: str | None) -> None:
    if target is not None and "folder" not in inspect.signature(get_object(target)).parameters:
        raise ConfigError(
            f"logger._target_={target}: takes no `folder`; the curves of a run are TensorBoard events in its own "
            "folder, from which the study is read; use logger=csv, wandb or mlflow on top of logger=tensorboard, "
            "or logger=none for no curves"
        )


def _check_further(key: str, node: Mapping[str, Any]) -> None:
    """Refuse a logger on top of the record."""
    if "folder" in node:
        raise ConfigError(f"{key}.folder={shown(node['folder'])}: gradflow sets it; use output_dir")
    is_ours = str(node[build.TARGET]).startswith("gradflow.")
    arguments.check(key, node, schema.Logger if is_ours else schema.NoOption)
    kind = get_object(node[build.TARGET])
    if isinstance(kind, type) and not issubclass(kind, Logger):
        raise ConfigError(f"{key}.{build.TARGET}={node[build.TARGET]}: is no logger of Lightning's; check the name")
    if not (isinstance(kind, type) and issubclass(kind, FurtherLogger)):
        return
    if kind.package is not None and importlib.util.find_spec(kind.package) is None:
        raise ConfigError(
            f"logger={key.partition('.')[2]}: the package {kind.package} is not installed; pip install {kind.package}, "
            f"or install gradflow with its extra [{kind.package}]"
        )
    if (fault := kind.fault(node)) is not None:
        raise ConfigError(f"logger={key.partition('.')[2]}: {fault}")
