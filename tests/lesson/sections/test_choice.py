"""What the last section says about outputs and losses, derived; and rules of thumb that follow the trainings."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gradflow import activations
from gradflow.lesson.sections.explorer import section as explorer_section

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


@pytest.mark.parametrize(
    ("product", "text"),
    [(40.0, "its layer costs more than the function."), (10.0, "it may cost as much as its layer.")],
)
def test_the_rule_on_cost_follows_the_timings(product, text):
    (rule,) = explorer_section({"relu": 1.0, "tanh": 2.0, "maxout": 15.0, "matrix product": product}).rules
    assert rule.text.endswith(text)
    assert "the costliest function (maxout) 15 times, the median one 2 times" in rule.measured
