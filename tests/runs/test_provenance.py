"""Where a result comes from."""

import platform
import shlex
import subprocess
import sys

import pytest
import torch

from gradflow import invocation
from gradflow.runs import provenance


@pytest.fixture
def git(monkeypatch):
    """`git(answers)`: what git says to its subcommands; an exception is raised."""

    def answer_with(answers):
        def fake(subcommand, *_arguments, cwd):
            answer = answers[subcommand]
            if isinstance(answer, Exception):
                raise answer
            return answer

        provenance._source.cache_clear()
        monkeypatch.setattr(provenance, "_git", fake)

    yield answer_with
    provenance._source.cache_clear()


def test_versions_device_and_command(monkeypatch):
    monkeypatch.delenv(invocation.COMMAND, raising=False)
    monkeypatch.setattr(sys, "argv", ["train.py", "study=two words"])
    made = provenance.provenance(device="abacus", threads=3)
    assert (made["python"], made["torch"]) == (platform.python_version(), torch.__version__.partition("+")[0])
    assert (made["device"], made["threads"]) == ("abacus", 3)
    assert shlex.split(made["command"]) == ["train.py", "study=two words"]
    monkeypatch.setenv(invocation.COMMAND, "train.py seed=0")  # as typed, whichever process trains
    assert provenance.provenance(device="abacus", threads=3)["command"] == "train.py seed=0"
    assert {"git_commit", "git_clean", "lightning", "hydra", "gradflow", "platform"} <= made.keys()


@pytest.mark.parametrize(("status", "clean"), [("", True), (" M src/gradflow/run.py", False)])
def test_the_commit_and_whether_the_tree_was_clean(git, status, clean):
    git({"rev-parse": "abc", "status": status})
    made = provenance.provenance(device="cpu", threads=1)
    assert (made["git_commit"], made["git_clean"]) == ("abc", clean)


@pytest.mark.parametrize("error", [FileNotFoundError("git"), subprocess.CalledProcessError(128, "git")])
def test_without_git_or_a_checkout_both_are_null(git, error):
    git({"rev-parse": error, "status": error})
    made = provenance.provenance(device="cpu", threads=1)
    assert (made["git_commit"], made["git_clean"]) == (None, None)
