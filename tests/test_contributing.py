"""CONTRIBUTING.md names the packages in their order, and files and commands that exist."""

import ast
import re

import pytest

from gradflow import CONF

ROOT = CONF.parent
PACKAGE = ROOT / "src/gradflow"
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
PATHS = {path for path in re.findall(r"`([\w./]+(?:/|\.\w+))`", TEXT) if "NAME" not in path}
PLACES = (ROOT, PACKAGE, PACKAGE / "study", PACKAGE / "sweep", PACKAGE / "lesson", ROOT / "tests/report")


def test_the_floor_plan_is_the_order_of_the_imports():
    order = re.search(r"^ORDER = (\[.*?\])", (ROOT / "tests/test_layers.py").read_text(), re.MULTILINE | re.DOTALL)
    rows = re.findall(r"^\| `(\w+)(?:\.py|/)` \|", TEXT.split("## Floor plan")[1], flags=re.MULTILINE)
    assert rows == ast.literal_eval(order[1])


@pytest.mark.parametrize("path", sorted(PATHS))
def test_each_path_exists(path):
    assert any((place / path).exists() for place in PLACES)


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make ([a-z-]+)`", TEXT))))
def test_each_make_target_exists(target):
    assert re.search(rf"^{target}: .*## ", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
