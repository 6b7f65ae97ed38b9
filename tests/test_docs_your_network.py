"""docs/your_network.md, followed word by word with small networks."""

import re
import shlex

import pytest

from gradflow import CONF

TEXT = (CONF.parent / "docs" / "your_network.md").read_text()
NETWORK, REPLACEMENT = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
(OPTION,) = re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.DOTALL)
COMMANDS = re.findall(r"^\.venv/bin/python train\.py (.*)$", TEXT, flags=re.MULTILINE)


@pytest.fixture
def in_its_folder(tmp_path, monkeypatch):
    (tmp_path / "my_networks.py").write_text(NETWORK)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("in_its_folder")
@pytest.mark.parametrize(("line", "runs"), list(zip(COMMANDS, (12, 2, 3), strict=True)))
def test_each_command_is_planned(line, runs, command, monkeypatch, tmp_path):
    monkeypatch.setattr("gradflow.sweep.jobs.run", lambda cfg, folder, **_: {})
    assert command(*shlex.split(line), "callbacks=none").status == 0
    assert len(list(tmp_path.glob("outputs/*/*/seed=*/run.json"))) == runs


@pytest.mark.usefixtures("in_its_folder")
def test_a_network_of_ones_own_is_one_file_of_the_group(command, tmp_path):
    (tmp_path / "conf" / "model").mkdir(parents=True)
    (tmp_path / "conf" / "model" / "highway.yaml").write_text(OPTION)
    small = ("width=4", "blocks=1", "trainer.max_epochs=1", "data.batch_size=120", "trainer=cpu", "threads=1")
    outcome = command("--config-dir", "conf", "model=highway", *small)
    assert outcome.status == 0, outcome.err
    (run,) = tmp_path.glob("outputs/digits_highway/*/seed=0/run.json")
    assert '"grad_rms/02_candidates.0.0"' in run.read_text()
    assert '"dead_units/02_candidates.0.1"' in run.read_text()


def test_the_activations_of_a_network_are_replaced():
    names = {}
    exec(REPLACEMENT, names)
    assert len(names["paths"]) == 9
