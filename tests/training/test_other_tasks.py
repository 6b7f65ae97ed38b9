"""Binary classification and regression from the command line on: scores that make sense, in the data's unit."""

import numpy as np
import pytest
import torch
from finished_runs import only_run, record, weights
from sklearn.linear_model import LinearRegression

from gradflow.data.sources import diabetes
from gradflow.training import build

MLP = ("model=mlp", "blocks=2", "width=16", "init=he", "trainer=cpu", "callbacks.pictures=null")


def run(command, root, *arguments):
    """The folder of the only run, and its run.json."""
    outcome = command(*MLP, *arguments)
    assert outcome.status == 0, outcome
    folder = only_run(root)
    return folder, record(folder)


@pytest.mark.slow
@pytest.mark.parametrize(("data", "accuracy"), [("circles", 0.95), ("moons", 0.97)])
def test_one_logit_separates_circles_and_moons(command, tmp_path, data, accuracy):
    _, found = run(command, tmp_path, f"data={data}", "optimizer.lr=0.01", "trainer.max_epochs=20")
    assert found["headline"] == "test/acc_at_best"
    assert found["metrics"]["test/acc_at_best"] >= accuracy
    assert found["constant_loss"] == pytest.approx(np.log(2), abs=1e-3)


@pytest.mark.slow
def test_a_line_does_not_separate_circles(command, tmp_path):
    _, found = run(command, tmp_path, "data=circles", "activation=identity", "trainer.max_epochs=20")
    assert 0.3 < found["metrics"]["test/acc_at_best"] < 0.7


@pytest.mark.slow
@pytest.mark.parametrize("output", ["linear", "tanh"])
def test_mae_and_r2_of_a_regression_are_those_of_its_predictions_in_the_datas_unit(command, compose, tmp_path, output):
    overrides = ("data=diabetes", f"output={output}", "optimizer.lr=0.003", "trainer.max_epochs=20")
    folder, found = run(command, tmp_path, *overrides)
    cfg = compose(*MLP, *overrides)
    data = build.data(cfg)
    network = build.network(cfg, data).double()
    network.load_state_dict({key.removeprefix("network."): value for key, value in weights(folder).items()})
    x, y = (array.astype(np.float64) for array in (diabetes().x, diabetes().y))
    train, test = data.split.train, data.split.test
    mean, sd = y[train].mean(), y[train].std()
    with torch.no_grad():
        z = network(torch.from_numpy((x[test] - x[train].mean(0)) / x[train].std(0)))[:, 0].numpy()
    low, high = y[train].min(), y[train].max()
    predicted = mean + sd * z if output == "linear" else (low + high) / 2 + (high - low) / 1.6 * np.tanh(z)
    metrics = found["metrics"]
    assert metrics["test/mae"] == pytest.approx(np.abs(predicted - y[test]).mean(), rel=1e-4)
    r2 = 1 - ((predicted - y[test]) ** 2).sum() / ((y[test] - y[test].mean()) ** 2).sum()
    assert metrics["test/r2"] == pytest.approx(r2, rel=1e-3)
    assert metrics["test/loss"] == pytest.approx((((predicted - y[test]) / sd) ** 2).mean(), rel=1e-4)
    assert found["constant_loss"] == pytest.approx(1.0, rel=1e-5)
    # A linear regression sets the level that these 266 patients allow.
    least_squares = LinearRegression().fit(x[train], y[train]).score(x[test], y[test])
    assert metrics["test/r2_at_best"] > least_squares - 0.15


def test_a_table_gives_the_same_result_whatever_type_it_is_stored_with(command, tmp_path, tiny):
    x, y = np.random.default_rng(0).integers(0, 17, (90, 5)), np.arange(90) % 3
    found = []
    for dtype in (np.float64, np.uint8):
        file = tmp_path / f"{np.dtype(dtype)}.npz"
        np.savez(file, x_train=x[:60].astype(dtype), y_train=y[:60], x_test=x[60:].astype(dtype), y_test=y[60:])
        own = ("data=npz", f"data.path='{file}'", "model=mlp", "blocks=2", f"study={file.stem}")
        assert command(*own, *tiny).status == 0
        found.append(record(next(tmp_path.glob(f"outputs/{file.stem}/*/seed=0")))["metrics"])
    assert found[0] == found[1]
    assert found[0]["test/acc"] > 0
