"""Addresses of situations in the playground, as `script/playground/address.js` reads them."""

from collections.abc import Mapping
from typing import Any

_LETTERS = "ab"


def address(shared: Mapping[str, Any], *networks: Mapping[str, Any]) -> str:
    """`#play&depth=10&a=sigmoid,rate:0.03&b=relu`.

    Args:
        shared: settings of both networks, or a `preset`; those left out are as usual.
        networks: one or two, none where a preset has them; each with its `activation` and what is not as usual. Truths
            are written `yes` and `no`.
    """
    parts = [f"{key}={_text(value)}" for key, value in shared.items()]
    for letter, network in zip(_LETTERS, networks, strict=False):
        own = [f"{key}:{_text(value)}" for key, value in network.items() if key != "activation"]
        parts.append(f"{letter}={','.join([network['activation'], *own])}")
    return "&".join(["#play", *parts, *(["b=none"] if len(networks) == 1 else [])])


def _text(value: Any) -> str:
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)
