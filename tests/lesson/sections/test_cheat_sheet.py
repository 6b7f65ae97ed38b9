"""The cheat sheet: its numbers, its curves, and the code on it."""

import math

import pytest
import torch
from torch import nn

import gradflow
from gradflow.lesson.sections import curve as curves
from gradflow.lesson.sections.cheat_sheet import cheat_sheet
from gradflow.runs import tags

SHEET = cheat_sheet()
ROWS = {row.name: row for row in SHEET.rows}


@pytest.mark.parametrize(
    ("name", "range_", "slope", "weights"),
    [
        ("identity", "any", "1", "–"),  # noqa: RUF001
        ("sigmoid", "0 to 1", "0.25", "Xavier × 1"),  # noqa: RUF001
        ("tanh", "−1 to 1", "1", "Xavier × 1.67"),  # noqa: RUF001  # 5/3, as torch lists it
        ("relu", "from 0", "1", "He × 1.41"),  # noqa: RUF001  # √2
        ("leaky_relu", "any", "1", "He × 1.41"),  # noqa: RUF001
        ("selu", "from −1.76", "1.76", "LeCun"),  # noqa: RUF001
        ("relu6", "0 to 6", "1", "He × 1.41"),  # noqa: RUF001
    ],
)
def test_ranges_slopes_and_gains(name, range_, slope, weights):
    row = ROWS[name]
    assert (row.range, row.largest_slope, row.weights) == (range_, slope, weights)


def points(path):
    return [tuple(float(number) for number in point.split()) for point in path.removeprefix("M").split("L")]


@pytest.mark.parametrize(("name", "function"), [("sigmoid", torch.sigmoid), ("relu6", nn.ReLU6()), ("gelu", nn.GELU())])
def test_curves_pass_through_the_function_and_its_slope(name, function):
    across, down = curves.ZERO
    found = ROWS[name].curve
    for path, of in ((found.value, function), (found.slope, torch.func.vmap(torch.func.grad(function)))):
        z, y = (
            torch.tensor([((x - across) / curves.SCALE, (down - v) / curves.SCALE) for x, v in points(path)]).double().T
        )
        away = (z.abs() > 0.02).nonzero().flatten()  # places are rounded, and beside a kink the slope jumps
        assert len(away) >= 32
        assert (z[0], z[-1]) == (-curves.REACH, curves.REACH)
        assert of(z[away]).tolist() == pytest.approx(y[away].tolist(), abs=0.011)


def test_the_two_lines_of_code_watch_a_network():
    torch.manual_seed(0)
    network = nn.Sequential(*[part for _ in range(4) for part in (nn.Linear(8, 8), nn.Sigmoid())], nn.Linear(8, 2))
    names = {"gradflow": gradflow, "network": network, "x_validation": torch.randn(20, 8)}
    names["optimizer"] = optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    before, after = SHEET.code
    exec(before, names)
    network(torch.randn(20, 8)).square().mean().backward()
    optimizer.step()
    network.eval()
    exec(after, names)
    found = names["watch"].results()
    for line in SHEET.healthy:
        quantity = line.partition(":")[0]
        assert any(tag.startswith(quantity) for tag in found), quantity
    assert 0 < found[tags.GAIN_PER_LAYER].values[0] < 0.5  # as in any plain sigmoid network


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("telephone", 0.25**10),
        ("small-weights", math.sqrt(1 / 6)),
        ("untrained", math.log(2)),
        ("softmax-twice", math.log(math.e + 9) - 1),
        ("seeds", 6),
    ],
)
def test_numbers_to_remember(name, number):
    (found,) = [one for one in SHEET.numbers if one.name == name]
    text = found.number.replace("\N{NO-BREAK SPACE}·\N{NO-BREAK SPACE}10⁻⁷", "e-7")
    assert float(text) == pytest.approx(number, rel=0.01)


def test_thresholds_are_those_of_the_warnings():
    said = " ".join(symptom.seen for symptom in SHEET.symptoms).replace("\N{NO-BREAK SPACE}", " ")
    assert "under 1/1000 of the largest layer's" in said
    assert "more than 20 % of a layer" in said
    assert "above 1000" in said
