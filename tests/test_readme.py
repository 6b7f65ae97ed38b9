"""The README is short, and what it tells its reader to type exists and is accepted."""

import re

from docs_examples import ROOT

README = (ROOT / "README.md").read_text()


def test_it_is_read_in_a_few_minutes():
    assert len(README.split()) <= 900


def test_it_shows_a_run_a_sweep_a_preset_and_the_help():
    typed = re.findall(r"^\.venv/bin/python train\.py ?(.*?) *(?:#.*)?$", README, flags=re.MULTILINE)
    assert {"", "-m activation=sigmoid,relu blocks=1,2,4,6,8", "--help"} <= set(typed)
    assert any(line.startswith("experiment=") for line in typed)
