"""The quiz: each answer against an independent derivation."""

import math
from collections import Counter

import pytest
import torch
import torch.nn.functional as F

from gradflow import activations
from gradflow.lesson.sections.quiz import items

ITEMS = {item.name: item for item in items()}
LIVE = {"linear", "bring-back", "leak", "batch-norm"}


def z(value):
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


def slope(function, at):
    (found,) = torch.autograd.grad(function(at), at)
    return float(found)


def test_there_are_fifteen_and_the_right_one_stands_in_any_place():
    assert len(ITEMS) == 15
    assert all(len(item.options) == 4 == len(set(item.options)) for item in ITEMS.values())
    places = Counter(item.answer for item in ITEMS.values())
    assert set(places) == {0, 1, 2, 3}
    assert max(places.values()) <= 5


def test_each_rests_on_a_number_of_the_page_or_of_a_live_network():
    for name, item in ITEMS.items():
        assert bool(item.live) == (name in LIVE)
        assert bool(item.number) != bool(item.live)
        assert f'data-live="{item.live}"' in item.run if item.live else item.number in item.why, name


@pytest.mark.parametrize(
    ("name", "option", "number"),
    [
        ("slope", "0.25", slope(torch.sigmoid, z(0.0))),
        ("below-zero", "0", slope(torch.relu, z(-3.0))),
        ("guessing", "0.693", float(F.cross_entropy(torch.zeros(1, 2, dtype=torch.float64), torch.tensor([0])))),
        ("twice", "1.46", float(F.cross_entropy(torch.eye(10, dtype=torch.float64)[:1], torch.tensor([0])))),
        ("confident", "101 times", 0.99 / (0.99 * 0.99 * (1 - 0.99))),
    ],
)
def test_the_right_option_is_the_number(name, option, number):
    item = ITEMS[name]
    assert item.options[item.answer] == option
    assert float(option.removesuffix(" times")) == pytest.approx(number, rel=5e-3, abs=1e-12)


def test_the_loss_of_a_softmax_before_the_loss_cannot_fall_lower():
    scores = 50 * torch.randn(1000, 10, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    losses = F.cross_entropy(torch.softmax(scores, 1), scores.argmax(1), reduction="none")
    assert float(losses.min()) == pytest.approx(float(ITEMS["twice"].number), abs=5e-3)


def test_ten_quarters_are_about_a_millionth():
    item = ITEMS["telephone"]
    assert item.options[item.answer] == "About a millionth"
    assert item.number.replace("\N{NO-BREAK SPACE}", " ") == "9.5 · 10⁻⁷"
    left = math.prod([0.25] * 10)
    assert f"{left:.1e}" == "9.5e-07"
    assert round(1000 * 1000 * left) == 1  # millimetres of a kilometre


def test_what_a_relu_layer_with_the_default_weights_leaves_of_a_signal():
    torch.manual_seed(0)
    signal = torch.randn(256, 1024, dtype=torch.float64)
    before = signal.norm()
    for _ in range(10):
        layer = torch.nn.Linear(1024, 1024, bias=False, dtype=torch.float64)  # PyTorch's default weights
        with torch.no_grad():
            signal = torch.relu(layer(signal))
    assert float(signal.norm() / before) == pytest.approx(float(ITEMS["small-weights"].number), rel=0.1)
    assert "= 0.41:" in ITEMS["small-weights"].why


@pytest.mark.parametrize(("name", "extreme"), [("any-number", (0.0, math.inf)), ("centred", (-1.0, 1.0))])
def test_ranges(name, extreme):
    module = {"any-number": torch.nn.ReLU(), "centred": torch.nn.Tanh()}[name]
    facts = activations.facts(module)
    assert (facts.lower, facts.upper) == extreme
    assert activations.facts(torch.nn.Tanh()).zero_centred
    assert not any(
        activations.facts(m).zero_centred for m in (torch.nn.Sigmoid(), torch.nn.ReLU(), torch.nn.Softplus())
    )


def test_a_confident_mistake():
    logit = z(math.log(0.99 / 0.01))
    assert slope(lambda at: F.binary_cross_entropy_with_logits(at, torch.zeros_like(at)), logit) == pytest.approx(0.99)
    assert slope(lambda at: torch.sigmoid(at).square() / 2, logit) == pytest.approx(0.99 * 0.0099)
    assert ITEMS["confident"].number == "0.0099"


def test_the_steps_of_eight_bits():
    assert f"{torch.linspace(0, 6, 256)[1]:.3f}" == ITEMS["eight-bits"].number == "0.024"


def test_five_seeds_that_agree_show_nothing_by_flipping_signs():
    def p(seeds):
        signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * seeds).sum(1)
        return float((signs.abs() >= seeds).double().mean())

    item = ITEMS["seeds"]
    assert item.ask.startswith("A beats B with each of 5 seeds.")
    assert item.options[item.answer] == "No: p is 0.0625"
    assert p(5) == 0.0625 > 0.05
    assert f"With 6 seeds it can be {p(6):.3g}" in item.why
