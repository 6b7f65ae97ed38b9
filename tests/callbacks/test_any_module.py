"""Gradient norms of modules that know nothing of gradflow, against a plain loop with autograd."""

import copy
import math

import pytest
import torch
from any_modules import BATCH, NETWORKS, Classifier, fit, loss_of

from gradflow.callbacks.gradient_norms import GradientNorms

pytestmark = pytest.mark.filterwarnings("ignore:.*does not have many workers")


def by_hand(network, data, *, lr=0.05, steps=3, parameters=None):
    """The gradient of every parameter at every step, in float64, by path; the same loop without Lightning."""
    optimizer = torch.optim.SGD(network.parameters() if parameters is None else parameters, lr=lr)
    rows = []
    for step in range(steps):
        optimizer.zero_grad()
        loss_of(network, [part[BATCH * step : BATCH * (step + 1)] for part in data]).backward()
        rows.append({path: p.grad.double() for path, p in network.named_parameters() if p.grad is not None})
        optimizer.step()
    return rows


def norm(gradients):
    return math.sqrt(sum(float(gradient.square().sum()) for gradient in gradients))


def paths(layers):
    return [layer.partition("_")[2] for layer in sorted(layers)]


def layers(rows):
    return {tag.partition("/")[2] for tag in rows.tags("grad_rms/")}


@pytest.mark.parametrize("name", NETWORKS)
def test_norms_are_those_of_a_plain_loop_and_layers_stand_in_forward_order(name):
    make, data, first, last, sites = NETWORKS[name]
    torch.manual_seed(0)
    network, data = make(), data()
    expected = by_hand(copy.deepcopy(network).train(), data)
    _, rows = fit(Classifier(network, data), callbacks=[GradientNorms()])
    found = layers(rows)
    assert len(found) == sites
    assert paths(found)[0] == f"network.{first}"
    assert paths(found)[-1] == f"network.{last}"
    totals = [norm(gradients.values()) for gradients in expected]
    assert rows.curve("grad_norm/total") == pytest.approx(dict(enumerate(totals)), rel=1e-6)
    for layer in found:
        path = layer.partition("_")[2].removeprefix("network.")
        for step, gradients in enumerate(expected):
            own = {key: value for key, value in gradients.items() if key.rpartition(".")[0] == path}
            if name == "lstm" and not own:  # a layer of several
                module, _, part = path.rpartition(".")
                own = {key: value for key, value in gradients.items() if key.startswith(module) and key.endswith(part)}
            weights = [value for key, value in own.items() if "weight" in key.rpartition(".")[2]]
            assert rows.curve(f"grad_norm/{layer}")[step] == pytest.approx(norm(own.values()), rel=1e-6)
            rms = norm(weights) / math.sqrt(sum(weight.numel() for weight in weights))
            assert rows.curve(f"grad_rms/{layer}")[step] == pytest.approx(rms, rel=1e-6)
