"""Binary classification and regression from the command line on: scores that make sense, in the data's unit."""

import json

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression

from gradflow.data.sources import diabetes
from gradflow.training import build

MLP = ("model=mlp", "blocks=2", "width=16", "init=he", "trainer=cpu", "callbacks.pictures=null")


def run(command, root, *arguments):
    """The folder of the only run, and its run.json."""
    outcome = command(*MLP, *arguments)
    assert outcome.status == 0, outcome
    (file,) = root.glob("outputs/*/*/seed=0/run.json")
    return file.parent, json.loads(file.read_text())


@pytest.mark.slow
@pytest.mark.parametrize(("data", "accuracy"), [("circles", 0.95), ("moons", 0.97)])
def test_one_logit_separates_circles_and_moons(command, tmp_path, data, accuracy):
    _, record = run(command, tmp_path, f"data={data}", "optimizer.lr=0.01", "trainer.max_epochs=20")
    assert record["headline"] == "test/acc_at_best"
    assert record["metrics"]["test/acc_at_best"] >= accuracy
    assert record["constant_loss"] == pytest.approx(np.log(2), abs=1e-3)


@pytest.mark.slow
def test_a_line_does_not_separate_circles(command, tmp_path):
    _, record = run(command, tmp_path, "data=circles", "activation=identity", "trainer.max_epochs=20")
    assert 0.3 < record["metrics"]["test/acc_at_best"] < 0.7


@pytest.mark.slow
@pytest.mark.parametrize("output", ["linear", "tanh"])
def test_mae_and_r2_of_a_regression_are_those_of_its_predictions_in_the_datas_unit(command, compose, tmp_path, output):
    overrides = ("data=diabetes", f"output={output}", "optimizer.lr=0.003", "trainer.max_epochs=20")
    folder, record = run(command, tmp_path, *overrides)
    cfg = compose(*MLP, *overrides)
    data = build.data(cfg)
    network = build.network(cfg, data).double()
    state = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    network.load_state_dict({key.removeprefix("network."): value for key, value in state.items()})
    x, y = (array.astype(np.float64) for array in (diabetes().x, diabetes().y))
    train, test = data.split.train, data.split.test
    mean, sd = y[train].mean(), y[train].std()
    with torch.no_grad():
        z = network(torch.from_numpy((x[test] - x[train].mean(0)) / x[train].std(0)))[:, 0].numpy()
    low, high = y[train].min(), y[train].max()
    predicted = mean + sd * z if output == "linear" else (low + high) / 2 + (high - low) / 1.6 * np.tanh(z)
    metrics = record["metrics"]
    assert metrics["test/mae"] == pytest.approx(np.abs(predicted - y[test]).mean(), rel=1e-4)
    r2 = 1 - ((predicted - y[test]) ** 2).sum() / ((y[test] - y[test].mean()) ** 2).sum()
    assert metrics["test/r2"] == pytest.approx(r2, rel=1e-3)
    assert metrics["test/loss"] == pytest.approx((((predicted - y[test]) / sd) ** 2).mean(), rel=1e-4)
    assert record["constant_loss"] == pytest.approx(1.0, rel=1e-5)
    # A linear regression sets the level that these 266 patients allow.
    least_squares = LinearRegression().fit(x[train], y[train]).score(x[test], y[test])
    assert metrics["test/r2_at_best"] > least_squares - 0.15
