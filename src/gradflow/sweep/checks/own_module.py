"""A LightningModule of the user's own: is it one, does it take its arguments, and what does it log?"""

from collections.abc import Mapping
from typing import Any

import lightning as L
from hydra.utils import get_object
from omegaconf import DictConfig

from gradflow.errors import ConfigError, nearest, shown
from gradflow.runs import tags
from gradflow.runs.logged import declared
from gradflow.runs.metrics import Metric
from gradflow.sweep.checks import arguments, schema
from gradflow.sweep.checks.own_dry_run import Logged
from gradflow.sweep.checks.values import Rule
from gradflow.training import own_module

_RULES = {key: Rule(annotation) for key, annotation in schema.types(schema.Module).items()}
_EXAMPLE = "module=custom module._target_=package.Class"


def check(plain: Mapping[str, Any]) -> None:
    """Refuse what is no LightningModule, arguments that it does not take, and data that need one.

    Args:
        plain: the whole configuration as plain data.

    Raises:
        ConfigError: naming key, value and remedy.
    """
    node, data = plain["module"], plain["data"]
    if not node:
        if own_module.is_own_data(_class(data)):
            raise ConfigError(
                f"data._target_={data['_target_']}: is a LightningDataModule, and module=gradflow needs arrays; use "
                f"{_EXAMPLE}, or name a data set or a function that returns arrays"
            )
        return
    if not isinstance(node, Mapping):
        raise ConfigError(f"module={shown(node)}: not an option of this group; use {_EXAMPLE}")
    for key, rule in _RULES.items():
        if key in node:
            rule.check(f"module.{key}", node[key])
    own = {key: value for key, value in node.items() if key not in own_module.OURS}
    arguments.check("module", own, schema.NoOption)
    kind = _class(node)
    if kind is None or not issubclass(kind, L.LightningModule):
        raise ConfigError(f"module._target_={node['_target_']}: is no LightningModule; name a class that is one")


def schema_of(group: str, plain: Mapping[str, Any], usual: type) -> type:
    """What the keys of a group may be: of a data module of the user's own, what its annotations say."""
    is_own_data = group == "data" and own_module.is_own_data(_class(plain["data"]))
    return schema.OwnData if is_own_data else usual


def _class(node: Any) -> type | None:
    """The class that a node names; None if it names none, which is refused with its arguments."""
    try:
        kind = get_object(node["_target_"])
    except Exception:  # importing somebody's module may raise anything
        return None
    return kind if isinstance(kind, type) else None


def metrics(cfg: DictConfig, logged: Logged) -> list[Metric]:
    """What a run of this configuration records of what its module logs."""
    found = [*logged.by_epoch, *logged.tested, *map(tags.at_best, logged.tested)]
    return declared(found, higher=cfg.module.higher, lower=cfg.module.lower)


def headline(cfg: DictConfig, logged: Logged, monitored: list[str]) -> str:
    """The metric that tables show: `cfg.headline`, or what the tests log of the best epoch, or its validation.

    Args:
        cfg: the composed configuration.
        logged: what its module logs.
        monitored: the tags of the configured monitors; those that end in `/` have one for each layer.

    Raises:
        ConfigError: if no run of this configuration has it.
    """
    known = [metric.tag for metric in metrics(cfg, logged)]
    if cfg.headline is None:
        tested = tags.test_of(cfg.module.monitor)
        return tags.at_best(tested) if tested in logged.tested else tags.best(cfg.module.monitor)
    if cfg.headline not in (*known, *monitored) and f"{cfg.headline.rpartition('/')[0]}/" not in monitored:
        raise ConfigError(
            f"headline={cfg.headline}: never logged{nearest(cfg.headline, known)} (logged: {', '.join(known)})"
        )
    return cfg.headline
