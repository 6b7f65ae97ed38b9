"""What the README tells its reader to type exists and is accepted."""

import re
import shlex

import pytest

from gradflow import CONF

ROOT = CONF.parent
README = (ROOT / "README.md").read_text()
BLOCKS = "\n".join(re.findall(r"^```\w*\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL))
TRAIN = re.findall(r"^\.venv/bin/python train\.py ?(.*?) *(?:#.*)?$", BLOCKS, flags=re.MULTILINE)
MAKE = sorted(set(re.findall(r"\bmake ([a-z-]+)\b", README)))


# Presets, the help, and the reader's own activation and measurement are tested elsewhere.
@pytest.mark.parametrize(
    "arguments", [line for line in TRAIN if not re.search("experiment=|--help|snake|cosine\\.", line)]
)
def test_each_training_command_is_planned(arguments, command, monkeypatch, tmp_path):
    monkeypatch.setattr("gradflow.sweep.jobs.run", lambda cfg, folder, **_: {})
    assert command(*shlex.split(arguments)).status == 0
    assert list(tmp_path.glob("outputs/*/*/seed=*/run.json"))


def test_the_readme_shows_a_run_a_sweep_a_preset_and_the_help():
    assert "" in TRAIN
    assert "-m activation=sigmoid,relu blocks=1,2,4,6,8" in TRAIN
    assert "--help" in TRAIN
    assert any(line.startswith("experiment=") for line in TRAIN)


@pytest.mark.parametrize("target", MAKE)
def test_each_make_target_exists(target):
    assert re.search(rf"^{target}: .*## ", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)


@pytest.mark.parametrize("picture", re.findall(r"!\[.*?\]\((.*?)\)", README))
def test_each_picture_is_there(picture):
    assert (ROOT / picture).exists()


def test_the_table_of_presets_is_complete():
    presets = {file.stem for file in (CONF / "experiment").glob("*.yaml")}
    table = README.split("## Presets")[1].split("##")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)) == presets
