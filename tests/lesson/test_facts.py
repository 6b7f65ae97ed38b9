"""What the scripts are told about activations, and the words beside it."""

import math

from gradflow.figures.palette import activation_colours
from gradflow.lesson.experiments.families import MAXOUT, families
from gradflow.lesson.facts import facts
from gradflow.lesson.usage import USAGE

FACTS = facts()["activations"]


def test_there_are_facts_for_every_function_of_one_input_and_words_for_maxout_too():
    names = [family.name for family in families()]
    assert list(FACTS) == [name for name in names if name != MAXOUT]
    assert set(USAGE) == set(names)


def test_facts_are_those_of_textbooks_and_what_has_no_end_is_null():
    sigmoid = FACTS["sigmoid"]
    assert (sigmoid["lower"], sigmoid["upper"], sigmoid["largestSlope"], sigmoid["zeroCentred"]) == (0, 1, 0.25, False)
    end = math.log((1 + math.sqrt(0.95)) / (1 - math.sqrt(0.95)))  # s (1 - s) = 0.05 / 4
    assert sigmoid["flat"] == [[None, round(-end, 8)], [round(end, 8), None]]
    assert (FACTS["identity"]["lower"], FACTS["identity"]["upper"], FACTS["identity"]["flat"]) == (None, None, [])
    assert FACTS["tanh"]["zeroCentred"]
    assert FACTS["relu6"]["flat"] == [[None, 0.0], [6.0, None]]


def test_colours_are_those_of_a_report():
    some = activation_colours(["relu", "sigmoid", "tanh", "gelu", "leaky_relu", "silu", "elu", "identity"])
    assert {name: FACTS[name]["colour"] for name in some} == some


def test_ten_sigmoid_slopes_leave_under_a_millionth_as_its_words_say():
    assert FACTS["sigmoid"]["largestSlope"] ** 10 < 1e-6
    assert "under a millionth" in USAGE["sigmoid"].avoid_when
