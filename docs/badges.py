"""The badges of the README: pictures of two words, made from pyproject.toml, so that no page depends on a service."""

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs/images"
HEIGHT = 20  # pixels, as most badges have
WIDTH = 7  # of a character on average, in pixels, at the size below
PADDING = 6
BADGE = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img" aria-label="{name}: {value}">
  <title>{name}: {value}</title>
  <clipPath id="round"><rect width="{width}" height="{height}" rx="3"/></clipPath>
  <g clip-path="url(#round)">
    <rect width="{split}" height="{height}" fill="#444"/>
    <rect x="{split}" width="{rest}" height="{height}" fill="#1f6f93"/>
  </g>
  <g fill="#fff" font-family="Verdana, DejaVu Sans, sans-serif" font-size="11">
    <text x="{padding}" y="14" textLength="{name_width}" lengthAdjust="spacingAndGlyphs">{name}</text>
    <text x="{value_x}" y="14" textLength="{value_width}" lengthAdjust="spacingAndGlyphs">{value}</text>
  </g>
</svg>
"""


def badges() -> dict[str, str]:
    """Each badge's file name and text."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {"python.svg": badge("Python", _pythons(project)), "licence.svg": badge("licence", project["license"])}


def badge(name: str, value: str) -> str:
    """A badge as SVG: a name in white on grey, its value on blue."""
    name_width, value_width = WIDTH * len(name), WIDTH * len(value)
    split, rest = name_width + 2 * PADDING, value_width + 2 * PADDING
    return BADGE.format(
        name=name,
        value=value,
        width=split + rest,
        height=HEIGHT,
        split=split,
        rest=rest,
        padding=PADDING,
        value_x=split + PADDING,
        name_width=name_width,
        value_width=value_width,
    )


def write_badges() -> None:
    """Write every badge to docs/images."""
    IMAGES.mkdir(exist_ok=True)
    for name, text in badges().items():
        (IMAGES / name).write_text(text)


def _pythons(project: dict[str, Any]) -> str:
    """The first and the last version of Python that the project names."""
    named = [re.search(r":: (3\.\d+)$", line) for line in project["classifiers"]]
    versions = [found[1] for found in named if found]
    return f"{versions[0]} to {versions[-1]}"
