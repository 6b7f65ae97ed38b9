"""Data of the user's own from the command line on: images in folders, functions, several targets and several labels."""

import numpy as np
import own_data
import pytest
import torch
from finished_runs import only_run, record
from own_images import image_folder
from sklearn.metrics import f1_score, hamming_loss, mean_absolute_error, r2_score

import gradflow
from gradflow.evaluate.__main__ import main as evaluate

MLP = ("model=mlp", "blocks=1", "width=16", "trainer=cpu", "callbacks=none", "threads=1", "trainer.max_epochs=3")


@pytest.fixture
def run(command, tmp_path):
    def trained(*arguments):
        """The folder of the only run, and its run.json."""
        outcome = command(*MLP, *arguments)
        assert outcome.status == 0, outcome
        return only_run(tmp_path), record(only_run(tmp_path)), outcome

    return trained


def test_several_targets_are_predicted_in_their_units(run):
    folder, found, _ = run("data=custom", "data._target_=own_data.plane", "data.task=regression", "optimizer.lr=0.1")
    data = own_data.plane()
    predicted = gradflow.load_network(folder).predict(data["x_test"].astype(np.float32)).numpy()
    metrics = found["metrics"]
    assert found["headline"] == "test/r2_at_best"
    assert metrics["test/r2_at_best"] == pytest.approx(r2_score(data["y_test"], predicted), rel=1e-4)
    assert metrics["test/mae_at_best"] == pytest.approx(mean_absolute_error(data["y_test"], predicted), rel=1e-4)
    assert metrics["test/r2_at_best"] > 0.3
    assert found["constant_loss"] == pytest.approx(1.0, rel=1e-5)
    assert found["majority_share"] is None


def test_several_labels_have_f1_as_their_headline(run, capsys):
    options = ("data._target_=own_data.plane", "data.task=multilabel", "+data.kind=labels", "optimizer.lr=0.1")
    folder, found, outcome = run("data=custom", *options)
    data = own_data.plane(kind="labels")
    predicted = gradflow.load_network(folder).predict(data["x_test"].astype(np.float32)).numpy()
    metrics = found["metrics"]
    assert found["headline"] == "test/f1_at_best"
    assert "test/f1_at_best" in outcome.out
    assert metrics["test/f1_at_best"] == pytest.approx(f1_score(data["y_test"], predicted, average="macro"), rel=1e-6)
    assert metrics["test/label_acc_at_best"] == pytest.approx(1 - hamming_loss(data["y_test"], predicted), rel=1e-6)
    assert metrics["test/exact_match_at_best"] == pytest.approx((data["y_test"] == predicted).all(1).mean(), rel=1e-6)
    assert found["majority_share"] == pytest.approx(0.5, abs=0.1)
    assert evaluate([str(folder), "--trust"]) == 0
    shown = capsys.readouterr().out
    assert f"{metrics['test/f1_at_best']:.4f}" in shown
    assert "macro F1" in shown


def test_images_of_13_channels_train_a_convolution(run):
    options = ("data=custom", "data._target_=own_data.Spectra", "+data.samples=60", "data.batch_size=20")
    folder, found, _ = run("model=conv", *options)
    network = gradflow.load_network(folder)
    assert network.preparation.input_shape == (13, 4, 6)
    assert network.predict(torch.zeros(2, 13, 4, 6, dtype=torch.uint8)).shape == (2,)
    assert found["metrics"]["test/acc_at_best"] >= 0


def test_unequal_classes_are_told_and_other_images_are_another_run(run, command, tmp_path):
    root = image_folder(tmp_path)
    for number in range(6):
        (root / "train" / "bee" / f"{number}.png").unlink()
    options = ("data=folder", f"data.path={root}", "data.batch_size=8", "data.validation_size=4")
    folder, found, outcome = run(*options)
    share = found["majority_share"]
    assert share == 0.7  # of the ten that train
    assert (
        "classes of 3 (bee) to 7 (ant) training samples: always answering ant has an accuracy of 70.0 %" in outcome.out
    )
    assert gradflow.load_network(folder).preparation.classes == ("ant", "bee")
    (root / "train" / "bee" / "9.png").unlink()
    again = command(*MLP, *options, "seed=1")
    assert again.status == 2
    assert "data.path" in again.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("data=custom",), "data._target_=???: name a class"),
        (("data=custom", "data._target_=own_data.plane"), "y_train has shape (150, 3); it must be (N,) or (N, 1)"),
        (("data=custom", "data._target_=own_data.striped"), "data.test_size=null: this data set has no test set"),
        (
            ("data=custom", "data._target_=own_data.striped", "+data.colour=3"),
            "data.colour=3: own_data.striped takes samples, sides",
        ),
        (
            ("data=custom", "data._target_=own_data.striped", "+data.samples=many"),
            "data.samples=many: needs a whole number",
        ),
        (("data=custom", "data._target_=own_data.nothing"), "data._target_=own_data.nothing: cannot be imported"),
        (("data=torchvision",), "data.dataset=null: needs a data set of torchvision, e.g. data.dataset=SVHN"),
        (("data=torchvision", "data.dataset=svhn"), "data.dataset=svhn: "),
        (("data=folder",), "data.path=null: data=folder needs a folder"),
        (("data=folder", "data.path=none", "data.size=0"), "data.size=0: needs a number of pixels"),
        (("data=folder", "data.path=none", "data.channels=2"), "data.channels=2: choose one of 1, 3, 4"),
        (
            (
                *("data=custom", "data._target_=own_data.plane", "data.task=multilabel", "+data.kind=labels"),
                "output=softmax",
            ),
            "output=softmax: the data are a multilabel classification",
        ),
        (
            ("data=custom", "data._target_=own_data.striped", "data.test_size=20", "headline=test/f1"),
            "headline=test/f1: no such metric",
        ),
    ],
)
def test_wrong_data_are_one_line_and_status_2(command, arguments, message):
    outcome = command(*MLP, *arguments)
    assert outcome.status == 2
    assert message in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1
