"""The decision tree: its ends, what they recommend, and what that rests on."""

import re
from collections import Counter

import pytest
import torch
from torch import nn

from gradflow import CONF
from gradflow.lesson.decision_tree import Advice, paths
from gradflow.lesson.sections.decisions import tree

ROOT = tree().root
ENDS = {advice.name: advice for _, advice in paths(ROOT)}
DOCS = CONF.parent / "docs"


def questions(node):
    return (
        []
        if isinstance(node, Advice)
        else [node, *(one for follows in node.answers.values() for one in questions(follows))]
    )


def test_every_path_ends_in_an_advice_of_its_own_after_at_most_four_answers():
    routes = list(paths(ROOT))
    names = Counter([*(advice.name for _, advice in routes), *(asked.name for asked in questions(ROOT))])
    assert set(names.values()) == {1}
    assert max(len(answers) for answers, _ in routes) <= 4
    assert all(len(asked.answers) >= 2 for asked in questions(ROOT))


def test_the_way_onward_leads_to_a_question():
    onward = {advice.onward[1] for advice in ENDS.values() if advice.onward}
    assert onward == {"hidden"}
    assert onward <= {asked.name for asked in questions(ROOT)}


def test_recommended_activations_are_options_of_the_package():
    known = {file.stem for file in (CONF / "activation").glob("*.yaml")} - {"custom"}
    recommended = {name for advice in ENDS.values() for name in advice.functions}
    assert recommended <= known
    assert {"relu", "leaky_relu", "gelu", "tanh", "sigmoid", "hard_swish", "relu6", "identity"} <= recommended


INPUTS = {
    "conv": (2, 64, 8, 8),
    "relu6": (2, 64, 8, 8),
    "hard-swish": (2, 64, 8, 8),
    "transformer": (2, 5, 64),
    "gates": (2, 5, 32),
    "recurrent": (2, 5, 32),
}
TARGETS = {
    "classes": torch.tensor([3, 9]),
    "yes-or-no": torch.tensor([[0.0], [1.0]]),
    "labels": torch.tensor([[0.0, 1.0, 1.0, 0.0, 0.0]] * 2),
    "number": torch.tensor([[-0.3], [0.7]]),
    "bounded": torch.tensor([[-0.8], [0.8]]),
}


def run(advice):
    """Its code, up to what needs a loss, and the module that it makes."""
    names = {"torch": torch, "nn": nn}
    exec(advice.code, names)
    made = [names[name] for name in ("head", "network", "block", "layer") if name in names]
    return names, made[0] if made else names["Block"](64)


@pytest.mark.parametrize("name", ENDS)
def test_the_code_runs_and_gives_numbers(name):
    torch.manual_seed(0)
    names, module = run(ENDS[name])
    output = module(torch.randn(INPUTS.get(name, (2, 64))))
    output = output[0] if isinstance(output, tuple) else output
    assert output.isfinite().all()
    if name in TARGETS:
        loss = names["loss"](output, TARGETS[name])
        assert loss.isfinite()
        assert loss > 0


CLASSES_OF = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "relu6": nn.ReLU6,
    "hard_swish": nn.Hardswish,
    "tanh": nn.Tanh,
    "identity": nn.Identity,
}


@pytest.mark.parametrize(
    "name", ["relu", "leaky-relu", "deep-relu", "batch-norm", "conv", "relu6", "hard-swish", "bounded"]
)
def test_the_code_has_the_function_that_is_recommended_first(name):
    _, module = run(ENDS[name])
    found = [type(part) for part in module.modules()]
    assert CLASSES_OF[ENDS[name].functions[0]] in found
    has_norm = nn.BatchNorm1d in found or nn.BatchNorm2d in found
    assert has_norm == (name in ("batch-norm", "conv", "relu6", "hard-swish"))


def test_small_weights_and_the_leak_are_those_of_the_code():
    _, deep = run(ENDS["deep-relu"])
    assert float(deep[0].weight.detach().std()) == pytest.approx((2 / 64) ** 0.5, rel=0.1)
    _, leaky = run(ENDS["leaky-relu"])
    assert leaky[1].negative_slope == 0.01


RESULTS, RESIDUAL = "results.md", "residual_and_transformer.md"
# What is said of gradflow's own measurements, and where it stands in the documentation.
MEASURED = [
    ("relu", "95 to 97 % against 87, 54 and 20 %", RESULTS, ["0.952 ±", "0.970 ±", "0.873 ±", "0.540 ±", "0.197 ±"]),
    ("deep-relu", "eight layers score 97 %, sigmoid 20 %", RESULTS, ["0.970 ±", "0.197 ±"]),
    ("batch-norm", "from 20 % to 98 %", RESULTS, ["0.197 ±", "0.980 ±"]),
    ("batch-norm", "ReLU has 97 %", RESULTS, ["0.967 ±", "at 1 of 3 depths (shown)"]),
    ("residual", "0.97 or more", RESIDUAL, ["gain per layer is 0.97 or more", "at 26 layers"]),
    ("residual", "no pair is decided", RESIDUAL, ["no comparison is decided"]),
    ("conv", "three depths of five", RESULTS, ["ReLU scores higher than sigmoid at 3 of 5 depths (shown)"]),
    ("conv", "56 % with ReLU and 55 % with tanh", "reproductions.md", ["| relu | 3 | 0.5612", "| tanh | 3 | 0.5483"]),
    ("transformer", "by 0.6 points at most", RESIDUAL, ["differ by at most 0.6 points"]),
    ("transformer", "1 to 3 points lower", RESIDUAL, ["Sigmoid lies 1 to 3 points"]),
    ("number", "R² of 0.51", "output_and_loss.md", ["test R² 0.51, 0.47"]),
]


@pytest.mark.parametrize(("name", "said", "page", "quotes"), MEASURED)
def test_measurements_are_those_of_the_documentation(name, said, page, quotes):
    text = " ".join((DOCS / page).read_text().replace("\n> ", " ").split())
    assert said in ENDS[name].evidence
    assert [quote for quote in quotes if quote not in text] == []


def test_advice_says_how_firm_it_is():
    for advice in ENDS.values():
        assert re.match(r"(Firm|Thin|From papers)\b", advice.evidence), advice.name
