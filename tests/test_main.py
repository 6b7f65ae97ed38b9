"""`gradflow`: a first word without = is a command, everything else trains."""

import sys

import pytest
from forged_runs import typical, write_run

import gradflow
from gradflow import __main__ as console
from gradflow import invocation


@pytest.fixture(autouse=True)
def typed(monkeypatch):
    """`typed("status", ...)`: the exit status of `gradflow status ...`; what train.py would run is only recorded."""
    trained = []
    monkeypatch.setattr("gradflow.sweep.cli.main", lambda: trained.append(sys.argv[1:]))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    monkeypatch.delenv(invocation.COMMAND, raising=False)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["/usr/bin/gradflow", *words])
        return console.main()

    run.trained = trained
    return run


@pytest.mark.parametrize(
    "words", [(), ("blocks=2",), ("-m", "seed=0,1"), ("--help",), ("~callbacks.pictures",), ("+trainer.max_steps=3",)]
)
def test_settings_and_flags_train(typed, words):
    assert typed(*words) == 0
    assert typed.trained == [list(words)]


def test_the_version_is_gradflows(typed, capsys):
    assert typed("--version") == 0
    assert capsys.readouterr().out == f"gradflow {gradflow.__version__}\n"
    assert not typed.trained


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("reprt", "reprt: no such command; did you mean report"),
        ("xyz", "xyz: no such command (commands: status, average, compare, report, study, tensorboard, advise"),
    ],
)
def test_another_word_is_refused(typed, capsys, word, said):
    assert typed(word, "outputs/digits_conv") == 2
    assert capsys.readouterr().err.startswith(f"gradflow: {said}")
    assert not typed.trained


@pytest.mark.parametrize("command", console.COMMANDS)
def test_every_command_says_how_it_is_typed(typed, capsys, command):
    with pytest.raises(SystemExit, match="0"):
        typed(command, "--help")
    usage, _, purpose = capsys.readouterr().out.partition("\n\n")
    assert usage.startswith(f"usage: gradflow {command} ")
    assert purpose[0].isupper()
    assert "python -m" not in purpose


def test_a_command_is_that_of_its_package(typed, capsys, tmp_path):
    study = tmp_path / "digits"
    write_run(study, activation="relu", seed=0, **typical(accuracy=0.9))
    assert typed("status", str(study)) == 0
    assert "1 finished" in capsys.readouterr().out
    assert typed("compare", str(study), "--output", str(tmp_path)) == 2
    assert "compare only prints" in capsys.readouterr().err


def test_modules_where_the_user_stands_can_be_imported(typed, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    typed("blocks=2")
    assert sys.path[-1] == str(tmp_path)
