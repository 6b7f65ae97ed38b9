"""The program as a whole: help, exit status, signals, plain output."""

import argparse
import os
import re
import signal
import subprocess
import sys

import pytest
from finished_runs import states
from interruptions import pause
from own_processes import start
from waiting import PATIENCE_S, wait_until

from gradflow import CONF
from gradflow.errors import ConfigError
from gradflow.sweep import cli

HEAVY = ("torch", "lightning", "torchvision", "sklearn", "altair", "pandas", "scipy")


def start_watched(folder, *arguments):
    """`python train.py *arguments` in its own process, its output captured."""
    return start(
        folder,
        *arguments,
        environment={"GRADFLOW_DATA": str(folder / "data")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
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
    assert sum("python train.py" in line for line in text) >= 3
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
        re.split(r"\s{2,}", example)[0].split()
        for _, called, example in (line.partition("python train.py") for line in command("--help").out.splitlines())
        if called
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


def test_of_a_sweep_no_single_configuration_is_printed(command):
    refused = command("--cfg", "job", "seed=1,2")
    assert (refused.status, refused.err) == (2, "gradflow: seed=1,2: one configuration is shown, so name one value\n")


def test_a_reader_that_has_seen_enough_ends_the_command_silently(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    process = start(tmp_path, "--help", stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (128 + signal.SIGPIPE, "")


def test_hydras_help_passes_argparse_as_of_python_3_14(command, monkeypatch):
    add_argument = argparse.ArgumentParser.add_argument

    def added(parser, *names, **options):
        action = add_argument(parser, *names, **options)
        parser._check_help(action)
        return action

    def check_help(parser, action):
        if action.help is not None and not isinstance(action.help, str):
            raise ValueError("badly formed help string")

    monkeypatch.setattr(argparse.ArgumentParser, "_check_help", check_help, raising=False)
    monkeypatch.setattr(argparse.ArgumentParser, "add_argument", added)
    assert command("--cfg", "job").status == 0


def test_overrides_may_stand_on_both_sides_of_a_flag(command, tmp_path):
    (tmp_path / "a=b" / "activation").mkdir(parents=True)
    (tmp_path / "a=b" / "activation" / "mine.yaml").write_text("name: mine\n_target_: torch.nn.Tanh\n")
    outcome = command("blocks=3", "--config-dir", "a=b", "activation=mine", "--cfg", "job", "width=5")
    assert outcome.status == 0, outcome
    assert {"blocks: 3", "  name: mine", "width: 5"} <= set(outcome.out.splitlines())
    refused = command("blocks=3", "-m", "width=0", "--config-dir=a=b")
    assert (refused.status, refused.err.startswith("gradflow: width=0: ")) == (2, True)


def test_an_error_that_is_nobodys_input_keeps_its_traceback(command, monkeypatch):
    def broken(*_arguments):
        raise ValueError("a bug")

    monkeypatch.setattr("gradflow.sweep.plan.plan", broken)
    with pytest.raises(ValueError, match="a bug"):
        command()


@pytest.mark.slow
def test_a_run_in_a_process_of_its_own_is_plain_and_silent_on_stderr(tmp_path, tiny):
    process = start_watched(tmp_path, "blocks=1", *tiny)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (0, ""), (out, err)
    assert "\x1b" not in out
    assert "\r" not in out
    assert out.splitlines()[0] == "1 run to train in outputs/digits_conv"
    assert "digits_conv: test/acc_at_best" in out
    assert "epochs" in out.splitlines()[1]
    assert states(tmp_path) == ["finished"]
    assert {path.name for path in tmp_path.iterdir()} == {"outputs"}


@pytest.mark.slow
def test_wrong_input_in_a_process_of_its_own(tmp_path):
    process = start_watched(tmp_path, "activation=sigmod")
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out) == (2, "")
    assert err.startswith("gradflow: activation=sigmod: no such option; did you mean sigmoid")
    assert err.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_sweep_with_its_own_status_and_the_table(tmp_path, tiny, number, status):
    paused = pause(1, until=tmp_path / "never")
    one_by_one = ("-m", "hydra/launcher=basic", "seed=0,1", "blocks=1")
    process = start_watched(tmp_path, *one_by_one, *tiny, "trainer.max_epochs=2", *paused)
    begun = wait_until(lambda: list(tmp_path.glob("outputs/*/*/seed=0/checkpoints/last.ckpt")), process=process)
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert begun, (out, err)
    assert process.returncode == status, (out, err)
    assert "Traceback" not in out + err
    assert "digits_conv: test/acc_at_best" in out
    assert "interrupted: activation=relu,blocks=1," in out
    assert states(tmp_path) == ["interrupted", "planned"]
