"""Configurations that share what is wrong with them are one finding, and only those."""

import pytest

from gradflow.advise.cases import Case, Place, shared
from gradflow.advise.measured_run import Sighting


def case(activation, blocks, other="", *, badness=(1.0,), judged=2, remedies=("init=he",)):
    """What a rule finds in one configuration: a sighting for each value of badness, the worst first."""
    place = Place((activation,), (blocks,), (other,))
    seen = tuple((place, Sighting(value, f"{value:g} points", f"evidence {value:g}")) for value in badness)
    return Case(place, len(seen), judged, seen, tuple(remedies))


def found(*cases):
    return [(str(one.place), one.holds, one.judged, one.evidence) for one in shared(cases)]


def test_depths_that_share_it_are_one_finding_with_the_worst_and_the_mildest():
    cases = [
        case("sigmoid", 2, badness=(3.0, 1.5)),
        case("sigmoid", 4, badness=(8.0,)),
        case("sigmoid", 16, badness=(2.0, 0.5), judged=3),
    ]
    evidence = "blocks=4: evidence 8 (the worst; the mildest, blocks=16: 0.5 points)"
    assert found(*cases) == [("sigmoid, blocks=2, 4, 16", 5, 7, evidence)]


def test_a_single_configuration_is_not_named_in_its_evidence():
    assert found(case("relu", None, badness=(2.0, 1.0))) == [
        ("relu", 2, 2, "evidence 2 (the worst seed; the mildest of the 2: 1 points)")
    ]
    assert found(case("relu", 3, badness=(1.0,))) == [("relu, blocks=3", 1, 2, "evidence 1")]


def test_activations_and_what_else_varies_are_merged_where_they_share_everything_else():
    norms = ("model.norm=none", "model.norm=batch")
    cases = [case(name, blocks, norm) for name in ("relu", "tanh") for blocks in (1, 8) for norm in norms]
    assert found(*cases) == [
        ("relu and tanh, blocks=1, 8, model.norm=none and model.norm=batch", 8, 16,
         "relu, blocks=1, model.norm=none: evidence 1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cases", "places"),
    [
        ([case("relu", 1), case("tanh", 8)], ["relu, blocks=1", "tanh, blocks=8"]),
        ([case("relu", 1), case("relu", 8), case("tanh", 8)], ["relu, blocks=1, 8", "tanh, blocks=8"]),
        ([case("relu", 1), case("relu", 8, remedies=("fewer blocks",))], ["relu, blocks=1", "relu, blocks=8"]),
        ([case("relu", 1, "init=he"), case("relu", 8)], ["relu, blocks=1, init=he", "relu, blocks=8"]),
    ],
    ids=["nothing in common", "other depths", "other remedies", "two axes apart"],
)
def test_a_finding_names_no_configuration_without_it(cases, places):
    assert [place for place, *_ in found(*cases)] == places
