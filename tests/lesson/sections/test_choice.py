"""What the last section says about outputs and losses, derived; and rules of thumb that follow the trainings."""

import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gradflow import activations
from gradflow.lesson.experiments import telephone
from gradflow.lesson.numbers import percent
from gradflow.lesson.sections import deep as deep_section
from gradflow.lesson.sections.explorer import _cost_rule

LOGITS = torch.tensor([[8.0, -3.0, 0.5]], dtype=torch.float64)


def gradient(loss, outputs, target):
    outputs = outputs.clone().requires_grad_()
    (found,) = torch.autograd.grad(loss(outputs, target), outputs)
    return found


def test_the_gradient_at_the_logits_is_probability_minus_target_even_of_a_confident_mistake():
    softmax = gradient(F.cross_entropy, LOGITS, torch.tensor([1]))
    assert softmax[0].tolist() == pytest.approx((torch.softmax(LOGITS[0], 0) - torch.tensor([0.0, 1.0, 0.0])).tolist())
    assert softmax.abs().max() > 0.99
    sigmoid = gradient(F.binary_cross_entropy_with_logits, LOGITS[0, :1], torch.zeros(1, dtype=torch.float64))
    assert float(sigmoid) == pytest.approx(float(torch.sigmoid(LOGITS[0, 0])))
    assert float(sigmoid) > 0.99
    squared = gradient(lambda z, y: F.mse_loss(torch.sigmoid(z), y), LOGITS[0, :1], torch.zeros(1, dtype=torch.float64))
    assert float(squared) < 0.01  # what a loss that does not fit makes of the same mistake


def test_the_gradient_of_the_squared_error_grows_with_the_error():
    outputs, target = torch.tensor([3.0, 10.0]), torch.tensor([1.0, 2.0])
    assert gradient(lambda z, y: F.mse_loss(z, y, reduction="sum"), outputs, target).tolist() == [4.0, 16.0]


@pytest.mark.parametrize(
    ("module", "reaches_every_number"),
    [(nn.Identity(), True), (nn.LeakyReLU(), True), (nn.Tanh(), False), (nn.Sigmoid(), False), (nn.ReLU(), False)],
)
def test_which_outputs_put_numbers_out_of_reach(module, reaches_every_number):
    facts = activations.facts(module)
    assert ((facts.lower, facts.upper) == (-torch.inf, torch.inf)) == reaches_every_number


def trainings(finals):
    """One epoch of two seeds that end at these accuracies, by activation and setting."""
    return pd.DataFrame(
        [
            {"activation": name, "setting": setting, "seed": seed, "epoch": epoch, "accuracy": epoch * accuracy}
            for (name, setting), accuracy in finals.items()
            for seed in (0, 1)
            for epoch in (0, 1)
        ]
    )


ACCURACIES = {  # columns: settings of the telephone game
    "sigmoid": (0.10, 0.10, 0.93, 0.96, 0.96),
    "tanh": (0.18, 0.88, 0.93, 0.97, 0.78),
    "relu": (0.10, 0.92, 0.89, 0.95, 0.76),
    "gelu": (0.10, 0.89, 0.94, 0.97, 0.66),
}
MEASURED = {
    (name, setting.name): accuracy
    for name, accuracies in ACCURACIES.items()
    for setting, accuracy in zip(telephone.SETTINGS, accuracies, strict=True)
}


def test_rules_of_thumb_follow_the_trainings():
    rules = [rule.text for rule in deep_section.rules(trainings(MEASURED))]
    assert rules[0].startswith("In hidden layers, use the initialisation that fits the activation: it matters more")
    assert rules[1].startswith("Use sigmoid in the hidden layers of a deep network only with")
    assert rules[2].endswith("(Zhang et al. 2019, arXiv:1901.09321; here tanh, relu, gelu).")
    alike = trainings(dict.fromkeys(MEASURED, 0.9))
    assert [rule.text for rule in deep_section.rules(alike)] == [
        "In hidden layers, compare initialisations as well as activations.",
        "Compare ways of building a deep sigmoid network before you choose one.",
        "With residual connections, compare initial weights of several sizes.",
        "Compare over several seeds.",
    ]


def test_how_much_the_building_and_the_activation_change_the_accuracy():
    by_building, by_activation = deep_section.spreads(trainings(MEASURED))
    assert by_building == pytest.approx((0.86 + 0.79 + 0.85 + 0.87) / 4)
    assert by_activation == pytest.approx((0.08 + 0.82 + 0.05 + 0.02 + 0.30) / 5)


def test_rules_of_thumb_are_told_with_the_numbers_of_the_trainings():
    told = [rule.measured.replace("\N{NO-BREAK SPACE}", " ") for rule in deep_section.rules(trainings(MEASURED))]
    assert told == [
        "With it, 20 layers end at 88.0 % (tanh), 92.0 % (relu), 89.0 % (gelu); with the default, at 18.0 % (tanh), "
        "10.0 % (relu), 10.0 % (gelu).",
        "20 sigmoid layers end at 10.0 % with the default initialisation, at 10.0 % with the one that fits, at 93.0 % "
        "with BatchNorm, and at 96.0 % with residual connections.",
        "With the default weights, 20 layers with skips end at 96.0 % (sigmoid), 97.0 % (tanh), 95.0 % (relu), 97.0 % "
        "(gelu); with the weights that would be right without skips, at 96.0 % (sigmoid), 78.0 % (tanh), 76.0 % "
        "(relu), 66.0 % (gelu).",
        "2 seeds of the same network (gelu, BatchNorm) differ by up to 0.0 points.",
    ]


def test_seeds_are_told_by_the_network_in_which_they_differ_most():
    trained = trainings(MEASURED)
    one = (trained["activation"] == "tanh") & (trained["setting"] == telephone.BOTH) & (trained["epoch"] == 1)
    trained.loc[one & (trained["seed"] == 1), "accuracy"] += 0.02
    *_, seeds = deep_section.rules(trained)
    assert seeds.measured == (
        "2 seeds of the same network (tanh, right initialisation and residual) differ by up to 2.0 points."
    )
    *_, both = deep_section.table(trained).rows
    assert both[2] == f"{percent(0.79, 1)} (78.0 to 80.0)"


@pytest.mark.parametrize(
    ("product", "text"),
    [(40.0, "its layer costs more than the function."), (10.0, "it may cost as much as its layer.")],
)
def test_the_rule_on_cost_follows_the_timings(product, text):
    rule = _cost_rule({"relu": 1.0, "tanh": 2.0, "maxout": 15.0, "matrix product": product}, "maxout")
    assert rule.text.endswith(text)
    assert "the costliest function (maxout) 15 times, the median one 2 times" in rule.measured
