"""Which of the arguments that a sweep can give does a constructor take: of a network, a module or a data module?"""

import inspect
from functools import cache
from typing import Any

from hydra.utils import get_object

KNOBS = ("blocks", "width")


@cache
def arguments(target: str) -> frozenset[str]:
    """The names of the arguments of a class or function, those that `**options` hands on to base classes included.

    Args:
        target: dotted path, as in `_target_`.

    Raises:
        Exception: if the target cannot be imported, or does not say what it takes.
    """
    thing = get_object(target)
    if not inspect.isclass(thing):
        return frozenset(_named(thing)[0])
    names: set[str] = set()
    for constructor in (vars(one)["__init__"] for one in thing.__mro__ if "__init__" in vars(one)):
        own, takes_more = _named(constructor)
        names |= own
        if not takes_more:
            break
    return frozenset(names - {"self"})


def _named(function: Any) -> tuple[set[str], bool]:
    """What can be given by name, and whether anything else can."""
    parameters = inspect.signature(function).parameters.values()
    names = {one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)}
    return names, any(one.kind is one.VAR_KEYWORD for one in parameters)
