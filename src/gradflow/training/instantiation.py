"""What a `_target_` names, made."""

from collections.abc import Mapping
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate

from gradflow.errors import ConfigError


def made(cfg: Mapping[Any, Any], **arguments: Any) -> Any:
    """Instantiate what `_target_` names, without the `name` that is only shown; None for a null target.

    Raises:
        ConfigError: if that is what the constructor raises.
        InstantiationException: for anything else that it raises; see `cause`.
    """
    if cfg.get("_target_") is None:
        return None
    try:
        return instantiate({key: cfg[key] for key in cfg if key != "name"}, _convert_="all", **arguments)
    except InstantiationException as error:
        if isinstance(cause(error), ConfigError):
            raise cause(error) from error
        raise


def cause(error: BaseException) -> BaseException:
    """What a constructor raised: Hydra wraps it, once for each level of nesting."""
    while isinstance(error, InstantiationException) and error.__cause__ is not None:
        error = error.__cause__
    return error
