"""The scripts run as their first lines say, in a folder that is not the repository."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gradflow import CONF

EXAMPLES = CONF.parent / "examples"
pytestmark = pytest.mark.slow


def run(script: str, *arguments: str, folder: Path) -> str:
    environment = os.environ | {"PYTHONPATH": str(CONF.parent / "src")}
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / script), *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_monitors_on_a_resnet(tmp_path):
    lines = run("monitors_on_a_resnet.py", folder=tmp_path).splitlines()
    sites = [line.split()[0].partition("/") for line in lines if line.startswith(("grad_rms/", "dead_units/"))]
    layers = {quantity: [name for one, _, name in sites if one == quantity] for quantity, _, _ in sites}
    assert len(layers["grad_rms"]) == 21  # 20 convolutions, of which three shorten the skips, and the head
    assert layers["grad_rms"][0] == "00_network.conv1"
    assert layers["grad_rms"][-1] == "20_network.fc"
    assert len(layers["dead_units"]) == 17 + 1  # one before the blocks, two in each of eight, and all together
    (metrics,) = (tmp_path / "outputs").rglob("metrics.csv")
    assert "val_acc" in metrics.read_text().partition("\n")[0]


def test_a_network_of_ones_own_is_swept_over_activations(tmp_path):
    shorter = ("activation=relu,tanh,gelu,sigmoid", "blocks=1,2", "trainer.max_epochs=1", "callbacks.pictures=null")
    shown = run("own_network.py", *shorter, folder=tmp_path)
    runs = [run.relative_to(tmp_path / "outputs") for run in (tmp_path / "outputs").rglob("seed=0")]
    assert {run.parts[0] for run in runs} == {"highway"}
    assert len(runs) == 8
    table = shown[shown.rindex("dead units, as a share") :]
    assert all(activation in table for activation in ("relu", "tanh", "gelu", "sigmoid"))
