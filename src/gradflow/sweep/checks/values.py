"""Checks of single values and groups, each with one line that names key, value and remedy."""

import inspect
import math

from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf

from gradflow.errors import ConfigError, check_whole, shown
from gradflow.training import build


def whole(cfg: DictConfig, key: str, *, at_least: int) -> None:
    """Refuse a value that is not a whole number of at least `at_least`."""
    check_whole(key, OmegaConf.select(cfg, key), at_least=at_least)


def number(cfg: DictConfig, key: str, *, low: float, high: float = math.inf, example: float) -> None:
    """Refuse a value that is not a finite number in [low, high)."""
    value = OmegaConf.select(cfg, key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value < high:
        below = f" and below {high:g}" if math.isfinite(high) else ", finite"
        raise ConfigError(f"{key}={shown(value)}: needs a number of at least {low:g}{below}, e.g. {key}={example:g}")


def arguments_fit(cfg: DictConfig, group: str) -> None:
    """Refuse arguments that the group's class does not take: they would be ignored or fail late."""
    node = OmegaConf.select(cfg, group)
    if not isinstance(node, DictConfig):
        raise ConfigError(f"{group}={shown(node)}: not an option of this group; see python train.py --help")
    if OmegaConf.is_missing(node, "_target_"):
        raise ConfigError(f"{group}._target_=???: name a class, e.g. {group}._target_=package.Class")
    target = node.get("_target_")
    if target is None:
        return
    try:
        parameters = inspect.signature(get_object(target)).parameters
    except Exception as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise ConfigError(f"{group}._target_={target}: cannot be imported ({reason}); check the name") from error
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    ours = ("name", "_target_", *(build.WHEN if group == "schedule" else ()))
    for key in node:
        if key not in ours and key not in parameters:
            takes = ", ".join(parameters) or "no arguments"
            raise ConfigError(f"{group}.{key!s}={node[key]}: {target} takes {takes}; leave it out (~{group}.{key!s})")
