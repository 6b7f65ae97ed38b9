"""The commands that messages name are those that the user can type."""

import sys
from pathlib import Path

import pytest

from gradflow import invocation


@pytest.fixture(autouse=True)
def started_by(monkeypatch):
    """`started_by("/bin/gradflow")`: as if that program ran."""
    monkeypatch.delenv(invocation.COMMAND, raising=False)
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    return lambda program: monkeypatch.setattr(sys, "argv", [program, "blocks=2"])


@pytest.mark.parametrize(
    ("program", "train", "tool"),
    [
        ("train.py", "python train.py -m", "python -m gradflow.advise STUDY"),
        ("/src/gradflow/study/__main__.py", "python train.py -m", "python -m gradflow.advise STUDY"),
        ("/usr/bin/gradflow", "gradflow -m", "gradflow advise STUDY"),
        ("/src/gradflow/__main__.py", "python -m gradflow -m", "python -m gradflow advise STUDY"),
    ],
)
def test_commands_are_typed_as_the_running_one_was(started_by, program, train, tool):
    started_by(program)
    assert (invocation.train("-m"), invocation.tool("advise", "STUDY")) == (train, tool)
    assert invocation.is_training(f"{train} seed=0")
    assert not invocation.is_training("schedule=cosine")


def test_an_installed_package_has_no_train_py(started_by, monkeypatch, tmp_path):
    started_by("/lib/gradflow/study/__main__.py")
    monkeypatch.setattr(invocation, "CONF", tmp_path / "conf")
    assert invocation.train("seed=1") == "gradflow seed=1"


def test_a_worker_names_the_command_that_started_it(started_by, monkeypatch):
    started_by("/lib/joblib/worker.py")
    monkeypatch.setenv(invocation.COMMAND, "/usr/bin/gradflow 'study=two words'")
    assert invocation.train() == "gradflow"


def test_programs_below_the_working_directory_are_named_by_their_path(started_by, monkeypatch):
    here = Path.cwd()
    monkeypatch.setattr(sys, "executable", str(here / ".venv/bin/python"))
    started_by("train.py")
    assert invocation.train() == ".venv/bin/python train.py"
    started_by(str(here / ".venv/bin/gradflow"))
    assert invocation.train() == ".venv/bin/gradflow"
