"""Which remedies a configuration does not have yet, and which are commands."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gradflow import invocation

_OVERRIDE = re.compile(r"([\w.]+)=(\S+)")  # other remedies are words


def open_remedies(remedies: Sequence[str], config: Mapping[str, Any]) -> tuple[str, ...]:
    """The remedies that would change something.

    Args:
        remedies: overrides of train.py, or words.
        config: the composed one; if it is empty (unknown), every remedy is open.

    Returns:
        All except overrides that the configuration already has or whose keys its model lacks.
    """
    return tuple(remedy for remedy in remedies if not config or _is_open(remedy, config))


def is_command(remedy: str) -> bool:
    """Whether it is a whole command line, not an override or words."""
    return invocation.is_training(remedy)


def _is_open(remedy: str, config: Mapping[str, Any]) -> bool:
    override = _OVERRIDE.fullmatch(remedy)
    if override is None:
        return True
    key, wanted = override.groups()
    value: Any = config
    for part in key.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return False
        value = value[part]
    if isinstance(value, Mapping):  # a group, chosen by its name
        value = value.get("name")
    return str(value).lower() != wanted.lower()
