"""Every mistake costs what the lesson says it costs."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gradflow.lesson.experiments import fit, mistakes
from gradflow.lesson.experiments.effort import FULL


def test_softmax_twice_has_a_floor():
    perfect = torch.zeros(1, 10)
    perfect[0, 4] = 1e4
    assert float(mistakes.softmax_twice(perfect, torch.tensor([4]))) == pytest.approx(1.4611501717, abs=1e-6)
    assert mistakes.floor_of_softmax_twice(10) == pytest.approx(-math.log(math.e / (math.e + 9)))


def test_a_negative_logit_behind_relu_gets_no_gradient():
    logits = torch.tensor([[-1.0, 2.0, -3.0]], requires_grad=True)
    F.cross_entropy(mistakes.WAYS[mistakes.OUTPUT].mistake(logits), torch.tensor([0])).backward()
    assert logits.grad[0, 0] == logits.grad[0, 2] == 0
    assert logits.grad[0, 1] > 0


def test_a_softmax_too_many_shrinks_the_gradient_at_the_outputs():
    data = fit.digit_data()
    network = fit.make_mlp(nn.ReLU, blocks=mistakes.BLOCKS, width=mistakes.WIDTH, seed=2)
    with torch.no_grad():
        p = torch.softmax(network(data.x).double(), dim=1)
        target = torch.nn.functional.one_hot(data.y, 10).double()
        q = torch.softmax(p, dim=1)  # of the second softmax
        once, twice = p - target, p * ((q - target) - (p * (q - target)).sum(dim=1, keepdim=True))
    assert mistakes.gradient_share(seed=2) == pytest.approx(float(twice.norm() / once.norm()), rel=1e-4)
    assert mistakes.gradient_share(seed=2) < 0.3


def test_both_trainings_of_a_mistake_start_as_one_network():
    way = mistakes.WAYS[mistakes.LOSS]  # a softmax changes no decision
    failing, mended = (mistakes.train(way, seed=3, epochs=1, is_mended=is_mended) for is_mended in (False, True))
    assert failing[0] == mended[0]
    assert failing[1] != mended[1]


@pytest.mark.slow
@pytest.mark.parametrize("name", mistakes.WAYS)
def test_at_full_length_the_mended_way_is_better(name):
    pair = mistakes.trainings(FULL, seed=0)[name]
    assert pair.mended[:, -1].min() > pair.failing[:, -1].mean() + 0.1
    assert pair.mended[:, -1].mean() > pair.failing[:, -1].max() - 0.02  # a ReLU on the logits may do no harm
