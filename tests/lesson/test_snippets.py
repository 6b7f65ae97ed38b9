"""The code to copy runs, is the function that it says it is, and draws the weights that it names."""

import math
import re

import pytest
import torch
from torch import nn

from gradflow.lesson.experiments.families import MAXOUT, by_name, families
from gradflow.lesson.snippets import SNIPPETS

FAMILIES = by_name(families())
OTHERS = {  # than the usual parameters
    "leaky_relu": {"negative_slope": 0.2},
    "prelu": {"init": 0.5},
    "rrelu": {"lower": 0.1, "upper": 0.4},
    "elu": {"alpha": 1.5},
    "celu": {"alpha": 0.5},
    "softplus": {"beta": 2.0},
    "hardtanh": {"min_val": -0.5, "max_val": 2.0},
}
CASES = [*((name, {}) for name in SNIPPETS), *OTHERS.items()]
Z = torch.linspace(-7, 7, 1401)


def filled(text, name, changes):
    values = FAMILIES[name].arguments | changes
    return re.sub(r"\{(\w+)\}", lambda match: f"{values[match[1]]:.9g}", text)


def expected_deviation(weights, fan_in, fan_out, slope):
    """The standard deviation of the initial weights that are named in words."""
    if weights.startswith("He"):
        return math.sqrt(2 / (1 + slope**2) / fan_in)
    return math.sqrt(2 / (fan_in + fan_out)) if weights.startswith("Xavier") else 1 / math.sqrt(fan_in)


def slope_below_zero(name, changes):
    values = FAMILIES[name].arguments | changes
    slopes = {"leaky_relu": "negative_slope", "prelu": "init"}
    return (values["lower"] + values["upper"]) / 2 if name == "rrelu" else values.get(slopes.get(name, ""), 0.0)


def test_every_activation_has_a_snippet():
    assert set(SNIPPETS) == set(FAMILIES)


@pytest.mark.parametrize(("name", "changes"), CASES)
def test_the_code_for_torch_is_the_function_and_draws_its_weights(name, changes):
    torch.manual_seed(0)
    made = {}
    exec(filled(SNIPPETS[name].torch, name, changes), made)
    network = made["network"].eval()
    assert network(torch.zeros(5, 2)).shape == (5, 2)
    if name == MAXOUT:
        x = torch.randn(5, 2)
        assert torch.equal(network[0](x), torch.maximum(network[0].first(x), network[0].second(x)))
        return
    for position in (1, 3):
        assert torch.allclose(network[position](Z.clone()), FAMILIES[name].make(**changes)(Z.clone()))
    deviation = expected_deviation(SNIPPETS[name].weights, 64, 64, slope_below_zero(name, changes))
    assert float(network[2].weight.detach().std()) == pytest.approx(deviation, rel=0.05)  # 4096 draws
    assert not any(layer.bias.any() for layer in (network[0], network[2]))


@pytest.mark.parametrize(("name", "changes"), CASES)
def test_the_code_for_keras_is_the_function_and_draws_its_weights(name, changes, monkeypatch):
    text = filled(SNIPPETS[name].keras, name, changes)
    compile(text, name, "exec")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras", reason="Keras is not installed: its code is compiled, not run")
    keras.utils.set_random_seed(0)
    made = {}
    exec(text, made)
    network = made["network"]
    dense = [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]
    if name == MAXOUT:
        first, second = dense[:2]
        x = torch.randn(5, 2)
        unit = keras.Model(network.inputs, network.layers[3].output)
        assert torch.allclose(unit(x), torch.maximum(first(x), second(x)))
        return
    after = network.layers[network.layers.index(dense[0]) + 1]
    function = dense[0].activation if after is dense[1] else after
    assert torch.allclose(function(Z[:, None])[:, 0].detach(), FAMILIES[name].make(**changes)(Z.clone()), atol=1e-6)
    deviation = expected_deviation(SNIPPETS[name].weights, 64, 64, slope_below_zero(name, changes))
    assert float(dense[1].kernel.value.std()) == pytest.approx(deviation, rel=0.05)
    assert network(torch.zeros(5, 2)).shape == (5, 2)


def test_in_torch_the_output_layer_keeps_its_own_weights():
    made = {}
    exec(SNIPPETS["relu"].torch, made)
    assert [type(layer) for layer in made["network"]] == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]
    assert float(made["network"][4].weight.detach().abs().max()) <= 1 / math.sqrt(64)  # torch's default, uniform
