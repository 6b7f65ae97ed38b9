"""Every mistake costs what the lesson says it costs, and has one fix."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from gradflow.lesson.experiments import fit, mistakes


def test_softmax_twice_has_a_floor():
    perfect = torch.zeros(1, 10)
    perfect[0, 4] = 1e4
    assert float(mistakes.softmax_twice(perfect, torch.tensor([4]))) == pytest.approx(1.4611501717, abs=1e-6)
    assert mistakes.floor_of_softmax_twice(10) == pytest.approx(-math.log(math.e / (math.e + 9)))


def test_a_negative_logit_behind_relu_gets_no_gradient():
    logits = torch.tensor([[-1.0, 2.0, -3.0]], requires_grad=True)
    mistakes.relu_at_the_output(logits, torch.tensor([0])).backward()
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


@pytest.mark.parametrize("mistake", mistakes.MISTAKES)
def test_every_mistake_has_one_way_out(mistake):
    assert [way.is_mistake for way in mistakes.MISTAKES[mistake]].count(False) == 1


def test_who_watches_starts_anew_with_a_lower_rate():
    unwatched, watched = mistakes.MISTAKES["monitor"]
    careless = mistakes.train(unwatched, seed=0, epochs=2)
    careful = mistakes.train(watched, seed=0, epochs=2)
    assert careless.dead.max() > mistakes.TOO_MANY_DEAD >= careful.dead.max()
    lower = mistakes.train(replace(unwatched, rate=unwatched.rate / mistakes.CUT), seed=0, epochs=2)
    assert careful.accuracy.tolist() == lower.accuracy.tolist()


@pytest.mark.slow
def test_at_full_length_the_mended_way_is_better():
    for ways in mistakes.MISTAKES.values():
        final = {way.is_mistake: mistakes.train(way, seed=0, epochs=12).accuracy[-1] for way in ways}
        assert final[False] > final[True]
