"""Which runs a preset asks for."""

import itertools
from pathlib import Path
from typing import Any

import yaml

PRESETS = Path(__file__).resolve().parents[3] / "conf" / "experiment"


def preset_runs(study: str) -> list[dict[str, Any]]:
    """Every combination of the preset's sweep: `activation`, `seed`, and `blocks` where it varies them."""
    axes = {key: _values(text) for key, text in _sweep(study).items()}
    return [dict(zip(axes, combination, strict=True)) for combination in itertools.product(*axes.values())]


def _sweep(study: str) -> dict[str, Any]:
    """The axes of a preset, those of the preset that it is made from included."""
    own = yaml.safe_load((PRESETS / f"{study}.yaml").read_text())
    swept: dict[str, Any] = {}
    for parent in own.get("defaults", []):
        swept |= _sweep(parent) if isinstance(parent, str) else {}
    return swept | own.get("hydra", {}).get("sweeper", {}).get("params", {})


def _values(text: Any) -> list[Any]:
    values = str(text).split(",")
    return [int(value) if value.isdigit() else value for value in values]
