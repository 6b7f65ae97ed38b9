"""What the telephone game says in lengths, and what its chart draws, are what was measured."""

import math

import pandas as pd
import pytest

from gradflow.lesson.experiments import telephone
from gradflow.lesson.sections.telephone import BOUND, _digits, section

LEFT = {  # of sigmoid and of ReLU, after the whole network
    ("sigmoid", telephone.PLAIN): {6: 7e-6, 50: 3.2e-43},
    ("sigmoid", telephone.BATCHNORM): {6: 0.3, 50: 1.5},
    ("relu", telephone.PLAIN): {6: 0.0049, 50: 2.2e-20},
    ("relu", telephone.RIGHT): {6: 1.1, 50: 0.56},
    ("relu", telephone.BOTH): {6: 10.0, 50: 7.9e10},
}


@pytest.fixture(scope="module")
def made():
    rows = [
        {
            "activation": name,
            "setting": setting.name,
            "depth": depth,
            "layers": layers,
            "n": 3,
            "mean": LEFT.get((name, setting.name), {}).get(depth, 0.5) if layers == depth else 1.0,
            "low": math.nan,
            "high": 2.0,
            "slopes": 0.14,
            "gain": 0.4,
            "forward": 1.7,
        }
        for name in telephone.ACTIVATIONS
        for setting in telephone.SETTINGS
        for depth in (6, 50)
        for layers in range(depth + 1)
    ]
    return section(pd.DataFrame(rows), seeds=3)


def plain(text):
    return text.replace("\N{NO-BREAK SPACE}", " ")


def test_six_layers_are_told_as_a_kilometre(made):
    first = plain(made.paragraphs[0])
    assert "leave at most 24 cm" in first  # 1,000 m / 4⁶
    assert "7 mm arrive with PyTorch's default initialisation, 1 in 140,000" in first
    assert "With BatchNorm, 300 m do." in first


def test_the_deepest_are_told_as_pictures_and_an_explosion_only_where_there_is_one(made):
    found = plain(made.parts[0].found)
    assert found.startswith("After 50 sigmoid layers with the default initialisation, the message is like the width of")
    assert "with BatchNorm, 1.5 times its size. After 50 ReLU layers with He initialisation, it is 0.56 times" in found
    assert found.endswith("like a millimetre grown to 6.2 times the width of the Earth: a message can explode, too.")


@pytest.mark.parametrize("number", [0, 1])
def test_no_paragraph_before_the_figure_is_long(made, number):
    assert len(made.paragraphs[number].split()) <= 60


def test_the_chart_has_a_line_for_each_setting_and_the_bound(made):
    rows = made.parts[0].panels[0].chart.data.to_dict()["values"]
    lines = {(row["activation"], row["setting"], row["depth"]): row for row in rows}
    assert len(lines) == len(rows) == len(telephone.ACTIVATIONS) * (len(telephone.SETTINGS) + 1) * 2
    assert lines["sigmoid", BOUND, 6]["mean"] == [1.0, 0.25, 0.0625, 0.0156, 0.00391, 0.000977, 0.000244]
    assert lines["sigmoid", telephone.PLAIN, 6]["mean"] == [1.0] * 6 + [7e-6]
    assert lines["sigmoid", telephone.PLAIN, 6]["low"] == [None] * 7


def test_a_number_of_the_chart_has_three_digits_and_what_is_not_finite_is_left_out():
    assert [_digits(value) for value in (1.23456e-40, math.nan, math.inf)] == [1.23e-40, None, None]
