"""Is the activation a class, as every layer needs an instance of its own?"""

import inspect
from collections.abc import Mapping
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import get_object

from gradflow.errors import ConfigError


def check(activation: Any) -> None:
    """Refuse a function of numbers, such as `torch.sin`; a function that returns a module is as good as a class.

    Args:
        activation: the group, as plain data.

    Raises:
        ConfigError: if what `activation._target_` names cannot be called with the options that are given.
    """
    target = activation.get("_target_") if isinstance(activation, Mapping) else None
    try:
        named = get_object(str(target))
    except (ImportError, ValueError, TypeError, AttributeError, InstantiationException):
        return  # refused with the groups
    if isinstance(named, type) or not callable(named):
        return
    options = {str(key): None for key in activation if key not in ("name", "_target_")}
    try:
        inspect.signature(named).bind(**options)
    except (TypeError, ValueError) as error:  # it takes z, or is built in and does not say what it takes
        raise ConfigError(
            f"activation._target_={target}: is a function, where a class is needed; write a small torch.nn.Module "
            "(docs/your_activation.md)"
        ) from error
