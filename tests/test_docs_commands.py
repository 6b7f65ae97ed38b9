"""What README and docs tell their reader to type exists and is accepted."""

import re
import shlex

import pytest
from docs_examples import DOCS, ROOT

from gradflow import CONF

PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
TEXT = "\n".join(page.read_text() for page in PAGES)
BLOCKS = "\n".join(re.findall(r"^```\w*\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL))
TRAIN = sorted(set(re.findall(r"^\.venv/bin/python train\.py ?(.*?) *(?:#.*)?$", BLOCKS, flags=re.MULTILINE)))


# Presets, the help, and what needs a file of the reader's own are tested elsewhere.
@pytest.mark.parametrize(
    "arguments",
    [line for line in TRAIN if not re.search("experiment=|--help|snake|cosine\\.|my_networks|resume", line)],
)
def test_each_training_command_is_planned(arguments, command, monkeypatch, tmp_path):
    monkeypatch.setattr("gradflow.sweep.jobs.run", lambda cfg, folder, **_: {})
    assert command(*shlex.split(arguments)).status == 0
    assert list(tmp_path.glob("outputs/*/*/seed=*/run.json"))


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?:^|`)make ([a-z-]+)\b", TEXT, flags=re.MULTILINE))))
def test_each_make_target_exists(target):
    assert re.search(rf"^{target}: .*## ", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)


def test_the_table_of_presets_is_complete():
    presets = {file.stem for file in (CONF / "experiment").glob("*.yaml")}
    rows = re.findall(r"^\| `(\w+)` \|", (DOCS / "presets.md").read_text(), flags=re.MULTILINE)
    assert sorted(rows) == sorted(presets)
