"""docs/trained_network.md, followed word by word."""

import re
import shlex

import numpy as np
import pytest
from docs_examples import Example
from finished_runs import record, run_folders

from gradflow.data.sources import digits
from gradflow.evaluate.__main__ import main
from gradflow.runs.samples import TEST, read_samples

EXAMPLE = Example("trained_network")
(CODE,) = re.findall(r"```python\n(.*?)```", EXAMPLE.text, flags=re.DOTALL)
SMALL = ("trainer=cpu", "width=4", "trainer.max_epochs=2", "callbacks=none", "threads=1")


@pytest.fixture(scope="module")
def root(command_in, tmp_path_factory):
    """A folder with the studies and the file that the page names, made quickly: the networks are narrower."""
    root = tmp_path_factory.mktemp("trained")
    x, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
    for name in ("MINE.npz", "OTHER.npz"):
        np.savez(root / name, x_train=x, y_train=y, x_test=x, y_test=y)
    assert command_in(root, "-m", *SMALL, "seed=0,1", "data.batch_size=120").status == 0
    assert command_in(root, *SMALL, "model=mlp", "data=npz", "data.path=MINE.npz").status == 0
    return root


def as_made(text, root):
    """The text with the folder of the narrower networks."""
    (made,) = root.glob("outputs/digits_conv/activation=*")
    return text.replace("digits_conv/activation=relu,blocks=4", f"digits_conv/{made.name}")


def test_the_code_predicts_what_the_run_was_tested_on(root, monkeypatch):
    monkeypatch.chdir(root)
    run = next(run for run in run_folders(root) if run.parts[-3] == "digits_conv")
    rows = read_samples(run).rows(TEST)
    names = {"x": digits().x[rows]}
    exec(as_made(CODE, root), names)
    right = (names["classes"].numpy() == digits().y[rows]).mean()
    assert np.float32(right) == np.float32(record(run)["metrics"]["test/acc_at_best"])
    assert (names["logits"].argmax(1) == names["classes"]).all()


@pytest.mark.parametrize("command", EXAMPLE.commands)
def test_each_command_prints_the_scores(root, monkeypatch, capsys, command):
    monkeypatch.chdir(root)
    _, module, *arguments = shlex.split(as_made(command, root))
    assert module == "gradflow.evaluate"
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "accuracy" in printed
    assert ("mean ± sd" in printed) == ("npz" not in command)


def test_there_are_such_commands():
    assert len(EXAMPLE.commands) == 3
