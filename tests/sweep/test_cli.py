"""The program as a whole: help, exit status, signals, plain output."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gradflow import CONF
from gradflow.errors import ConfigError
from gradflow.sweep import cli

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "lightning", "torchvision", "sklearn", "altair", "pandas", "scipy")


def start(folder, *arguments):
    """`python train.py *arguments` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), *arguments],
        cwd=folder,
        env=os.environ | {"GRADFLOW_DATA": str(folder / "data")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Where pytest itself runs in the background, Ctrl-C is ignored, and a child would inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_help_lists_groups_and_examples_and_imports_nothing_heavy():
    program = (
        "import sys\nfrom gradflow.sweep import cli\nsys.argv = ['train.py', '--help']\n"
        f"try:\n    cli.main()\nfinally:\n    print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    *text, heavy = done.stdout.splitlines()
    assert heavy == "[]"
    assert done.stderr == ""
    shown = "\n".join(text)
    assert sum(line.strip().startswith("python train.py") for line in text) >= 3
    for group in CONF.iterdir():
        if group.is_dir() and group.name != "hydra":
            (line,) = [line for line in text if line.startswith(f"{group.name}:")]
            assert all(file.stem in line for file in group.glob("*.yaml")), line
    assert "blocks=4" in shown
    assert not any("${" in line for line in text)


@pytest.mark.slow
def test_the_examples_of_the_help_are_valid(command, monkeypatch):
    monkeypatch.setattr("gradflow.sweep.jobs.run", lambda cfg, folder, **_: {})
    examples = [
        re.split(r"\s{2,}", line.strip())[0].removeprefix("python train.py").split()
        for line in command("--help").out.splitlines()
        if line.strip().startswith("python train.py")
    ]
    assert len(examples) >= 3
    for arguments in examples:
        if "experiment=mnist_sgd" not in arguments:  # needs a download; test_configs plans every preset
            outcome = command(*arguments, "width=4")
            assert outcome.status == 0, (arguments, outcome)


def test_hydras_own_switch_shows_the_traceback(command, monkeypatch):
    monkeypatch.setenv(cli.FULL_ERROR, "1")
    with pytest.raises(ConfigError, match="blocks=0"):
        command("blocks=0")


def test_the_configuration_is_printed_without_training(command, tmp_path):
    outcome = command("blocks=3", "--cfg", "job")
    assert outcome.status == 0
    assert "blocks: 3\n" in outcome.out
    assert not list(tmp_path.glob("outputs/**/run.json"))


def test_an_error_that_is_nobodys_input_keeps_its_traceback(command, monkeypatch):
    def broken(*_arguments):
        raise ValueError("a bug")

    monkeypatch.setattr("gradflow.sweep.plan.plan", broken)
    with pytest.raises(ValueError, match="a bug"):
        command()


@pytest.mark.slow
def test_a_run_in_a_process_of_its_own_is_plain_and_silent_on_stderr(tmp_path, tiny):
    process = start(tmp_path, "blocks=1", *tiny)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, ""), (out, err)
    assert "\x1b" not in out
    assert "\r" not in out
    assert out.splitlines()[0] == "1 run to train in outputs/digits_conv"
    assert "digits_conv: test/acc_at_best" in out
    assert "epochs" in out.splitlines()[1]
    (folder,) = tmp_path.glob("outputs/digits_conv/*/seed=0")
    assert json.loads((folder / "run.json").read_text())["state"] == "finished"
    assert {path.name for path in tmp_path.iterdir()} == {"outputs"}


@pytest.mark.slow
def test_wrong_input_in_a_process_of_its_own(tmp_path):
    process = start(tmp_path, "activation=sigmod")
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (2, "")
    assert err.startswith("gradflow: activation=sigmod: no such option; did you mean sigmoid")
    assert err.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_sweep_with_its_own_status_and_the_table(tmp_path, tiny, number, status):
    endless = [override.replace("max_epochs=1", "max_epochs=100000") for override in tiny]
    process = start(tmp_path, "-m", "seed=0,1", "blocks=1", *endless)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("outputs/*/*/seed=0/checkpoints/last.ckpt")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == status, (out, err)
    assert "Traceback" not in out + err
    assert "digits_conv: test/acc_at_best" in out
    assert "interrupted: activation=relu,blocks=1," in out
    states = {
        file.parent.name: json.loads(file.read_text())["state"] for file in tmp_path.glob("outputs/*/*/*/run.json")
    }
    assert states == {"seed=0": "interrupted", "seed=1": "planned"}
