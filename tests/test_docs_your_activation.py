"""docs/your_activation.md, followed in a copy of the repository."""

import json
import math
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from docs_examples import Example, python
from finished_runs import records, weights

from gradflow.data.datamodule import ArrayDataModule
from gradflow.data.sources import digits

EXAMPLE = Example("your_activation")
SHRUNK = ("model=mlp", "width=8", "trainer=cpu", "trainer.max_epochs=1", "callbacks.pictures=null", "study=own")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    return EXAMPLE.repository(tmp_path_factory.mktemp("repository"))


def runs(root):
    return {
        (found["activation"], found["blocks"], found["seed"], json.dumps(found["axes"].get("activation.a"))): (
            run,
            found,
        )
        for run, found in records(root).items()
    }


def test_the_example_has_both_files_and_three_commands():
    assert set(EXAMPLE.files) == {"my_activations.py", "conf/activation/snake.yaml"}
    assert [shlex.split(command)[0] for command in EXAMPLE.commands] == ["train.py", "train.py", "-c"]


def test_its_runs_are_labelled_and_its_slopes_are_measured_right(repository):
    sweep, parameter, _ = (shlex.split(command) for command in EXAMPLE.commands)
    python(repository, *sweep, *SHRUNK)
    python(repository, *parameter, *SHRUNK, "seed=0", "blocks=1")
    found = runs(repository)
    swept = {(name, blocks, seed, "null") for name in ("snake", "relu") for blocks in (1, 2, 4) for seed in (0, 1, 2)}
    assert set(found) == swept | {("snake", 1, 0, "0.5"), ("snake", 1, 0, "2")}
    folder, record = found["snake", 1, 0, "null"]
    assert folder.parent.name == "activation=snake,blocks=1,model=mlp,width=8,trainer.max_epochs=1"
    assert record["sigmoid_like"] is False
    for a, key in ((1.0, "null"), (0.5, "0.5"), (2.0, "2")):
        folder, record = found["snake", 1, 0, key]
        slope = 1 + np.sin(2 * a * preactivations(folder))
        assert record["metrics"]["low_slope/01_block"] == pytest.approx((slope < 0.05 * 2).mean(), abs=2e-3)
        assert record["metrics"]["dead_units/01_block"] == ((slope <= 1e-6 * 2).all(0)).mean()


def preactivations(folder: Path) -> np.ndarray:
    """z of the only hidden layer over the validation set after training, shape (samples, units), in float64."""
    state = weights(folder)
    weight, bias = (state[f"network.blocks.0.affine.{kind}"].double().numpy() for kind in ("weight", "bias"))
    data = ArrayDataModule(digits, batch_size=32, test_size=300, validation_size=300)
    x = digits().x[data.split.validation].reshape(300, -1) / 16.0
    return x @ weight.T + bias


def test_what_is_found_out_of_it_is_right(repository):
    *_, (_, code) = (shlex.split(command) for command in EXAMPLE.commands)
    out = python(repository, "-c", code)
    facts = dict(re.findall(r"(\w+)=([-\w.]+)", out))
    assert (facts["lower"], facts["upper"], facts["elementwise"]) == ("-inf", "inf", "True")
    assert float(facts["largest_slope"]) == pytest.approx(2.0, abs=1e-4)
    # E[z²] + E[sin⁴ z] for standard normal z, the mixed term being odd; sin⁴ z = 3/8 - cos(2z)/2 + cos(4z)/8, and
    # E[cos kz] = exp(-k²/2).
    square = 1 + 3 / 8 - math.exp(-2) / 2 + math.exp(-8) / 8
    assert float(out.split()[-1]) == pytest.approx(1 / math.sqrt(square), rel=1e-5)


def test_without_its_yaml_file_it_is_labelled_by_its_class(repository):
    (arguments,) = re.findall(r"`(activation=custom [^`]*)`", EXAMPLE.text)
    python(repository, "train.py", *shlex.split(arguments), *SHRUNK, "blocks=1")
    assert ("Snake", 1, 0, "2") in runs(repository)
