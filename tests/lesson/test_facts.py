"""What the scripts are told about activations."""

from gradflow.figures.palette import activation_colours
from gradflow.lesson.experiments.families import MAXOUT, families
from gradflow.lesson.facts import facts, usual
from gradflow.lesson.usage import USAGE

FACTS = facts()["activations"]


def test_there_are_facts_for_every_function_of_one_input_and_words_for_maxout_too():
    names = [family.name for family in families()]
    assert list(FACTS) == list(usual()) == [name for name in names if name != MAXOUT]
    assert set(USAGE) == set(names)


def test_a_limit_is_a_number_and_what_has_none_is_null():
    assert (FACTS["sigmoid"]["lower"], FACTS["sigmoid"]["upper"]) == (0, 1)
    assert (FACTS["relu"]["lower"], FACTS["relu"]["upper"]) == (0, None)
    assert (FACTS["identity"]["lower"], FACTS["identity"]["upper"]) == (None, None)


def test_colours_are_those_of_a_report():
    some = activation_colours(["relu", "sigmoid", "tanh", "gelu", "leaky_relu", "silu", "elu", "identity"])
    assert {name: FACTS[name]["colour"] for name in some} == some


def test_ten_sigmoid_slopes_leave_under_a_millionth_as_its_words_say():
    assert usual()["sigmoid"].largest_slope ** 10 < 1e-6
    assert "under a millionth" in USAGE["sigmoid"].avoid_when
