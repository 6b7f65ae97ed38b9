"""Without activations a network is one matrix; with them it can separate circles."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from gradflow.lesson.experiments import nonlinearity
from gradflow.lesson.experiments.effort import QUICK
from gradflow.lesson.experiments.fit import make_mlp
from gradflow.lesson.sections.nonlinearity import section
from gradflow.models.mlp import MLP


def test_two_linear_layers_collapse_to_their_product():
    network = MLP((2,), 1, nn.Identity, blocks=1, width=2)
    first, head = (layer.affine for layer in network.layers)
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
        first.bias.copy_(torch.tensor([1.0, -1.0]))
        head.weight.copy_(torch.tensor([[10.0, 100.0]]))
        head.bias.copy_(torch.tensor([5.0]))
    weight, bias = nonlinearity.collapse(network.layers)
    assert weight.tolist() == [[310.0, 420.0]]  # 10 (1, 2) + 100 (3, 4)
    assert bias.tolist() == [-85.0]  # 10 - 100 + 5


@pytest.fixture(scope="module")
def classifiers():
    effort = replace(QUICK, seeds=1, circle_steps=150, circle_depths=(1, 3))
    return {(one.activation, one.depth): one for one in nonlinearity.classifiers(effort, seed=0)}


def test_without_activations_depth_changes_nothing_and_the_matrix_is_the_network(classifiers):
    for depth in (1, 3):
        linear = classifiers["identity", depth]
        assert linear.difference < 1e-14
        assert 0.4 < linear.accuracy < 0.6  # chance: the classes have the same centre
        weights, bias = linear.collapsed
        x2, x1 = np.meshgrid(*[nonlinearity.cell_centres()] * 2, indexing="ij")
        assert linear.regions == pytest.approx(1 / (1 + np.exp(-(weights[0] * x1 + weights[1] * x2 + bias))), abs=1e-12)


def test_relu_tells_the_circles_apart(classifiers):
    relu = classifiers["relu", 3]
    centre, corner = relu.regions[nonlinearity.CELLS // 2, nonlinearity.CELLS // 2], relu.regions[0, 0]
    assert relu.accuracy > 0.95
    assert centre > 0.9
    assert corner < 0.1


def test_both_networks_start_from_the_same_draws_scaled_to_suit_the_activation():
    linear, relu = (
        make_mlp(one, blocks=2, width=nonlinearity.WIDTH, seed=3, inputs=2, outputs=1)
        for one in nonlinearity.ACTIVATIONS.values()
    )
    for number, scale in enumerate((2**0.5, 2**0.5, 1.0)):
        expected = scale * linear.layers[number].affine.weight
        torch.testing.assert_close(relu.layers[number].affine.weight, expected)


def classifier(accuracy, difference):
    shape = (nonlinearity.CELLS, nonlinearity.CELLS)
    return [
        nonlinearity.Classifier("identity", 1, 0, accuracy, np.zeros(shape), (np.ones(2), 0.0), difference),
        nonlinearity.Classifier("relu", 1, 0, 1.0, np.zeros(shape), None, None),
    ]


@pytest.mark.parametrize(("accuracy", "is_guessing"), [(0.53, True), (0.6, False)])  # 300 points: 0.5 +- 0.058
def test_guessing_is_what_a_coin_could_get_right(accuracy, is_guessing):
    (told,) = section(classifier(accuracy, 1e-15)).paragraphs
    assert ("no better than guessing" in told) == is_guessing


@pytest.mark.parametrize(("difference", "is_rounding"), [(1e-15, True), (1e-6, False)])
def test_only_a_tiny_difference_is_put_down_to_rounding(difference, is_rounding):
    folded = section(classifier(0.5, difference)).parts[1]
    assert ("rounding error" in folded.parts[0].paragraphs[0]) == is_rounding
