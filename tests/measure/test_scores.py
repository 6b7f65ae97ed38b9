"""Losses and scores of the three kinds of target against formulas in float64."""

import numpy as np
import pytest
import sklearn.metrics
import torch

from gradflow.errors import ConfigError
from gradflow.measure import scores
from gradflow.measure.answers import Answers
from gradflow.measure.constant_answers import constant_loss, imbalance, majority_share
from gradflow.measure.scores import OUTPUTS, Pass, task

GENERATOR = np.random.default_rng(0)
LOGITS = GENERATOR.normal(size=(20, 4), scale=3)
LABELS = GENERATOR.integers(0, 4, 20)


def single(values):
    return torch.tensor(values, dtype=torch.float32)[:, None]


def scored(what, outputs, targets, *, batch=None):
    """Loss and scores of a pass over these samples, in batches of so many."""
    one = Pass(what, outputs.device)
    size = batch or len(targets)
    for some, y in zip(outputs.split(size), targets.split(size), strict=True):
        one.add(what.loss(some, y), some, y)
    return {tag.removeprefix("test/"): value for tag, value in one.scores("test").items()}


def test_classification_is_cross_entropy_in_nats_and_top_1_accuracy():
    what = task("classification", num_outputs=4)
    outputs, targets = torch.tensor(LOGITS, dtype=torch.float32), torch.tensor(LABELS)
    shares = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
    assert float(what.loss(outputs, targets)) == pytest.approx(-np.log(shares[range(20), LABELS]).mean(), rel=1e-6)
    right = (LOGITS.argmax(1) == LABELS).mean()
    assert scored(what, outputs, targets)["acc"] == pytest.approx(right)
    assert 0 < right < 1
    assert (what.headline, what.monitor, what.mode) == ("acc", "val/acc", "max")


def test_accuracy_weighs_samples_not_classes():
    what = task("classification", num_outputs=3)
    assert scored(what, torch.tensor([[1.0, 0.0, 0.0]] * 4), torch.tensor([0, 0, 0, 1]))["acc"] == 0.75


def test_binary_is_cross_entropy_on_one_logit():
    what = task("binary", num_outputs=1)
    logits, labels = np.array([2.0, -1.0, 0.5, -3.0, 40.0]), np.array([1, 0, 0, 1, 1])
    exact = np.logaddexp(0, np.where(labels == 1, -logits, logits)).mean()  # -log sigmoid(z), -log(1 - sigmoid(z))
    assert float(what.loss(single(logits), torch.tensor(labels))) == pytest.approx(exact, rel=1e-5)
    predictions = what.predict(single(logits))
    assert predictions.tolist() == [1, 0, 1, 0, 1]
    assert scored(what, single(logits), torch.tensor(labels))["acc"] == pytest.approx(3 / 5)
    assert (what.headline, what.monitor, what.mode) == ("acc", "val/acc", "max")


def test_regression_is_the_squared_error_and_its_mae_is_in_the_datas_unit():
    what = task("regression", num_outputs=1, target_scale=77.0)
    outputs, targets = GENERATOR.normal(size=9), GENERATOR.normal(size=9)
    y = torch.tensor(targets, dtype=torch.float32)
    assert float(what.loss(single(outputs), y)) == pytest.approx(((outputs - targets) ** 2).mean(), rel=1e-5)
    r2 = 1 - ((outputs - targets) ** 2).sum() / ((targets - targets.mean()) ** 2).sum()
    assert scored(what, single(outputs), y) == {
        "loss": float(what.loss(single(outputs), y)),
        "mae": pytest.approx(77 * np.abs(outputs - targets).mean(), rel=1e-5),
        "r2": pytest.approx(r2, rel=1e-4),
    }
    assert (what.headline, what.monitor, what.mode) == ("r2", "val/loss", "min")


KINDS = [("classification", 4), ("binary", 1), ("regression", 1)]


def made_up(kind, outputs, *, samples=50):
    """Logits or predictions and targets of a kind, float64 or int64, far from zero."""
    generator = np.random.default_rng(1)
    z = generator.normal(size=(samples, outputs), scale=3)
    if kind == "regression":
        return torch.tensor(z + 30), torch.tensor(z[:, 0] + generator.normal(size=samples) + 30)
    return torch.tensor(z), torch.tensor(generator.integers(0, max(2, outputs), samples))


@pytest.mark.parametrize(("kind", "outputs"), KINDS)
@pytest.mark.parametrize("batch", [1, 7, 10, 50])
def test_scores_are_those_of_all_samples_however_they_are_cut(monkeypatch, kind, outputs, batch):
    what, (z, y) = task(kind, num_outputs=outputs, target_scale=5.0), made_up(kind, outputs)
    monkeypatch.setattr(scores, "BUNDLE", 10)
    found = scored(what, z, y, batch=batch)
    wanted = {"loss": float(what.loss(z, y))}
    if kind == "regression":
        p, t = z[:, 0].numpy(), y.numpy()
        r2 = 1 - ((p - t) ** 2).sum() / ((t - t.mean()) ** 2).sum()
        wanted |= {"mae": 5 * np.abs(p - t).mean(), "r2": r2}
        assert found == pytest.approx(wanted, rel=1e-12)
    else:
        right = z.argmax(1) == y if kind == "classification" else (z[:, 0] > 0) == y
        wanted["acc"] = int(right.sum()) / len(y)
        assert found == pytest.approx(wanted, rel=1e-7)  # torchmetrics divides in float32
        assert found["loss"] == pytest.approx(wanted["loss"], rel=1e-12)


@pytest.mark.parametrize(("kind", "outputs"), KINDS)
def test_a_pass_waits_for_no_device_before_its_end(kind, outputs):
    what, (z, y) = task(kind, num_outputs=outputs), made_up(kind, outputs)
    z, y = z.to("meta"), y.to("meta")  # to read a value from there fails
    one = Pass(what, z.device)
    one.add(z.sum(), z, y)
    one._sum_up()
    with pytest.raises(RuntimeError, match="meta"):
        one.scores("val")


@pytest.mark.parametrize("size", [0, 5])  # a process may have no sample in any batch
def test_a_pass_keeps_no_more_than_a_bundle(monkeypatch, size):
    monkeypatch.setattr(scores, "BUNDLE", 8)
    what, (z, y) = task("classification", num_outputs=4), made_up("classification", 4, samples=size)
    one, kept = Pass(what, z.device), []
    for _ in range(20):
        one.add(z.sum(), z, y)
        kept.append(len(one._outputs))
    assert max(kept) < 8
    assert min(kept) == 0


@pytest.mark.parametrize(("kind", "outputs"), [("classification", 3), ("binary", 1), ("regression", 1)])
def test_outputs_in_bfloat16_are_scored(kind, outputs):
    what = task(kind, num_outputs=outputs)
    logits = torch.ones(4, outputs, dtype=torch.bfloat16)
    y = torch.tensor([0, 1, 1, 0]) if kind != "regression" else torch.tensor([0.0, 1.0, 1.0, 0.0])
    assert np.isfinite(list(scored(what, logits, y).values())).all()


def test_a_tanh_output_reaches_an_eighth_of_the_training_range_further_and_scores_in_the_datas_unit():
    low, high, scale = -1.5, 2.5, 77.0  # standardised training targets, and their unit in that of the data
    what = task("regression", num_outputs=1, output="tanh", target_scale=scale, target_ends=(low, high))
    z = GENERATOR.normal(size=9)
    targets = np.linspace(low - 1, high + 1, 9)  # some of them out of the tanh's reach
    half = (high - low) / 1.6  # the training range is that of tanh from -0.8 to 0.8
    value = (low + high) / 2 + half * np.tanh(z)
    outputs, y = single(z), torch.tensor(targets, dtype=torch.float32)
    assert what.predict(outputs).tolist() == pytest.approx(value.tolist(), rel=1e-5)
    assert float(what.loss(outputs, y)) == pytest.approx(((value - targets) ** 2).mean(), rel=1e-5)
    r2 = 1 - ((value - targets) ** 2).sum() / ((targets - targets.mean()) ** 2).sum()
    assert scored(what, outputs, y) == {
        "loss": float(what.loss(outputs, y)),
        "mae": pytest.approx(scale * np.abs(value - targets).mean(), rel=1e-5),
        "r2": pytest.approx(r2, rel=1e-4),
    }
    ends = what.predict(single([np.arctanh(-0.8), np.arctanh(0.8), -50.0, 50.0]))
    assert ends.tolist() == pytest.approx([low, high, low - 0.5, high + 0.5], rel=1e-5)  # an eighth of 4 at each end


def test_the_gradient_goes_through_the_tanh():
    what = task("regression", num_outputs=1, output="tanh", target_ends=(-0.8, 0.8))  # tanh as it is
    outputs = single([0.7, -2.0]).requires_grad_()
    targets = np.array([0.1, 0.3])
    what.loss(outputs, torch.tensor(targets, dtype=torch.float32)).backward()
    value = np.tanh([0.7, -2.0])
    exact = (value - targets) * (1 - value**2)  # 2/N (a - y) da/dz with N = 2
    assert outputs.grad[:, 0].tolist() == pytest.approx(exact.tolist(), rel=1e-5)


@pytest.mark.parametrize(("kind", "output"), [(kind, output) for kind in OUTPUTS for output in OUTPUTS[kind]])
def test_the_first_output_function_of_a_kind_is_the_usual_one(kind, output):
    outputs = torch.linspace(-2, 2, 8).reshape(4, 2)[:, : 2 if kind == "classification" else 1]
    y = torch.tensor([0.0, 1.0, 1.0, 0.0]) if kind == "regression" else torch.tensor([0, 1, 1, 0])
    if kind == "multilabel":
        outputs, y = outputs.expand(4, 2), torch.stack([y, 1 - y], dim=1)
    num_outputs = 1 if kind == "regression" else 2
    usual, named = (task(kind, num_outputs=num_outputs, output=one).loss(outputs, y) for one in (None, output))
    assert (float(usual) == float(named)) == (output == OUTPUTS[kind][0])


@pytest.mark.parametrize(
    ("kind", "output", "message"),
    [
        ("classification", "tanh", "output=tanh: the data are a classification, .*cross-entropy; use output=softmax"),
        ("classification", "sigmoid", "use output=softmax, or leave output out"),
        ("binary", "softmax", "use output=sigmoid, or leave output out"),
        ("regression", "softmax", "squared error; use output=linear or output=tanh, or leave output out"),
        ("regression", "relu", "output=relu: no loss goes with it; choose softmax, sigmoid, linear, tanh"),
    ],
)
def test_an_output_function_that_does_not_go_with_the_target_is_refused(kind, output, message):
    with pytest.raises(ConfigError, match=message):
        task(kind, num_outputs=1, output=output)


def test_the_constant_loss_is_the_entropy_of_the_classes_or_the_variance():
    shares = np.array([0.5, 0.3, 0.2])
    labels = torch.tensor([0] * 5 + [1] * 3 + [2] * 2)
    assert constant_loss("classification", labels) == pytest.approx(-(shares * np.log(shares)).sum(), rel=1e-12)
    assert constant_loss("classification", torch.arange(10)) == pytest.approx(np.log(10), rel=1e-12)
    assert constant_loss("classification", torch.tensor([0, 2])) == pytest.approx(np.log(2))  # no class 1
    assert constant_loss("binary", torch.tensor([0, 1, 1, 1])) == pytest.approx(
        -(0.25 * np.log(0.25) + 0.75 * np.log(0.75)), rel=1e-12
    )
    assert constant_loss("regression", torch.tensor([1.0, 2.0, 6.0])) == pytest.approx((4 + 1 + 9) / 3)


@pytest.mark.parametrize("kind", ["classification", "binary", "regression"])
def test_no_constant_prediction_has_a_lower_loss(kind):
    y = torch.tensor([0, 0, 0, 1]) if kind != "regression" else torch.tensor([0.0, 0.5, 3.0, 1.0])
    loss = task(kind, num_outputs=2 if kind == "classification" else 1).loss
    pairs = [
        torch.tensor([[0.0, z]] if kind == "classification" else [[z]]).expand(4, -1) for z in np.linspace(-3, 3, 601)
    ]
    assert min(float(loss(outputs, y)) for outputs in pairs) == pytest.approx(constant_loss(kind, y), abs=1e-4)


def test_an_unknown_kind_is_a_fault_of_the_program():
    with pytest.raises(AssertionError, match="ranking"):
        task("ranking", num_outputs=2)


@pytest.mark.parametrize("batch", [1, 7, 20])
def test_answers_stand_in_the_order_of_the_set(batch):
    """Whatever the order in which the samples come, and with those that never come."""
    what, order = task("classification", num_outputs=4), GENERATOR.permutation(25)[:20]
    one = Pass(what, torch.device("cpu"), answers=Answers(torch.from_numpy(order), size=25))
    outputs, targets = torch.tensor(LOGITS), torch.tensor(LABELS)
    for some, y in zip(outputs.split(batch), targets.split(batch), strict=True):
        one.add(what.loss(some, y), some, y)
    expected = np.full(25, -1)
    expected[order] = LOGITS.argmax(1) == LABELS
    assert one.answers().tolist() == expected.tolist()
    assert np.float32(expected[expected >= 0].mean()) == one.scores("test")["test/acc"]


def test_regression_keeps_no_answers():
    one = Pass(task("regression", num_outputs=1), torch.device("cpu"), answers=Answers(torch.arange(3), size=3))
    one.add(torch.tensor(1.0), torch.zeros(3, 1), torch.zeros(3))
    assert one.answers() is None


def test_several_targets_score_their_unweighted_means():
    """By scikit-learn in float64; each target in its own unit."""
    scale, ends = np.array([1.0, 20.0, 300.0]), np.array([[-2.0, -1.0, -3.0], [2.0, 1.5, 1.0]])
    outputs, targets = (torch.tensor(GENERATOR.normal(size=(40, 3))) for _ in range(2))
    centre, half = ends.mean(0), (ends[1] - ends[0]) / 1.6
    for output in ("linear", "tanh"):
        what = task("regression", num_outputs=3, output=output, target_scale=scale, target_ends=ends)
        z = outputs.numpy()
        predicted = z if output == "linear" else centre + half * np.tanh(z)
        found = scored(what, outputs, targets, batch=10)
        assert what.predict(outputs).numpy() == pytest.approx(predicted, rel=1e-12)
        r2 = sklearn.metrics.r2_score(targets, predicted, multioutput="uniform_average")
        assert found["r2"] == pytest.approx(r2, rel=1e-10)
        mae = sklearn.metrics.mean_absolute_error(scale * targets.numpy(), scale * predicted)
        assert found["mae"] == pytest.approx(mae, rel=1e-10)
        assert found["loss"] == pytest.approx(((predicted - targets.numpy()) ** 2).mean(), rel=1e-10)


def test_several_labels_have_a_cross_entropy_each_and_the_scores_of_the_field():
    logits, labels = GENERATOR.normal(size=(50, 4), scale=2), GENERATOR.random((50, 4)) < [0.5, 0.1, 0.7, 0.3]
    logits[:, 1] = -np.abs(logits[:, 1])  # a label that is never predicted: its F1 is 0
    what = task("multilabel", num_outputs=4)
    found = scored(what, torch.tensor(logits), torch.tensor(labels).long(), batch=25)
    exact = np.logaddexp(0, np.where(labels, -logits, logits)).mean()
    assert found["loss"] == pytest.approx(exact, rel=1e-12)
    f1 = sklearn.metrics.f1_score(labels, logits > 0, average="macro", zero_division=0)
    assert found["f1"] == pytest.approx(f1, rel=1e-6)
    assert found["label_acc"] == pytest.approx(1 - sklearn.metrics.hamming_loss(labels, logits > 0), rel=1e-6)
    assert found["exact_match"] == pytest.approx((labels == (logits > 0)).all(1).mean(), rel=1e-6)
    assert set(found) == {"loss", "f1", "label_acc", "exact_match"}
    assert what.predict(torch.tensor(logits)).tolist() == (logits > 0).astype(int).tolist()
    assert (what.headline, what.monitor, what.mode) == ("f1", "val/loss", "min")


def test_constant_answers_to_several_targets_and_labels():
    targets = GENERATOR.normal(size=(30, 2)) * [1, 5]
    assert constant_loss("regression", torch.tensor(targets)) == pytest.approx(targets.var(0).mean(), rel=1e-12)
    labels = torch.tensor([[0, 1], [0, 1], [1, 1], [0, 0]])
    entropy = -(0.25 * np.log(0.25) + 0.75 * np.log(0.75))
    assert constant_loss("multilabel", labels) == pytest.approx(entropy, rel=1e-12)
    assert majority_share("multilabel", labels) == 0.75
    assert majority_share("classification", torch.tensor([2, 2, 2, 0, 1])) == 0.6
    assert majority_share("binary", torch.tensor([0, 0, 1, 0])) == 0.75
    assert majority_share("regression", torch.tensor([1.0])) is None


def test_unequal_classes_are_told_with_what_a_constant_answer_achieves():
    labels = torch.tensor([0] * 10 + [1] * 20 + [2] * 50)
    assert imbalance("classification", labels) == (
        "classes of 10 (class 0) to 50 (class 2) training samples: always answering class 2 has an accuracy of 62.5 %"
    )
    assert "10 (ant) to 50 (cat)" in imbalance("classification", labels, ("ant", "bee", "cat"))
    assert imbalance("classification", torch.tensor([0] * 10 + [1] * 19)) is None
    assert imbalance("regression", torch.tensor([1.0, 2.0])) is None
    rare = torch.zeros(20, 2, dtype=torch.int64)
    rare[:2, 0], rare[:8, 1] = 1, 1
    assert imbalance("multilabel", rare) == (
        "labels that 10.0 % (label 0) to 40.0 % (label 1) of the training samples have: answering each with its more "
        "frequent value has a label accuracy of 75.0 %"
    )
    assert imbalance("multilabel", 1 - rare) is not None
    assert imbalance("multilabel", torch.tensor([[0, 1], [1, 0]])) is None
