"""The findings of the advice as the page shows them."""

from pathlib import Path

import pytest

from gradflow import invocation
from gradflow.advise.cases import Place
from gradflow.advise.findings import Advice, Finding
from gradflow.advise.rules import PERHAPS_WORSE, VANISHING
from gradflow.report.found import Remedy, found, in_words
from gradflow.runs.metrics import MetricTable


def advice(*findings, runs=6):
    return Advice(Path("outputs/study"), findings, runs, 2, (("not finished yet", 1),), (("slow start", "no loss", 1),))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("grad_rms of 02_block at blocks=6", "gradient, root mean square of block 2 at 6 blocks"),
        ("grad_rms of 102_block, then of 02_net.0.1.", "gradient, root mean square of block 102, then of 02_net.0.1."),
        ("blocks=1, 4, 6", "1, 4 and 6 blocks"),
        ("blocks=1", "1 block"),
        ("grad_flow/gain_per_layer was not recorded", "gradient gain per layer was not recorded"),
        ("fewer than 100 updates and/or my_own", "fewer than 100 updates and/or my_own"),
    ],
)
def test_tags_layers_and_depths_are_said_in_words(text, words):
    assert in_words(text, MetricTable()) == words


def test_a_finding_has_its_place_its_runs_its_remedies_and_the_commands_apart():
    place = Place(("sigmoid", "tanh"), (4, 8), ("model.norm=none",))
    command = invocation.train("-m", "activation=relu,sigmoid")
    vanishing = Finding(VANISHING, place, 5, 6, "grad_rms of 01_block", ("init=he", "a lower optimizer.lr"), 1.0)
    worse = Finding(PERHAPS_WORSE, Place(("relu",), (None,)), 2, 3, "evidence", (command,), 1.0)
    one, two = found(advice(vanishing, worse), MetricTable()).kinds
    assert (one.name, one.severity, two.severity) == ("Vanishing gradient", "broken", "hint")
    assert one.found[0]["where"] == "sigmoid and tanh, 4 and 8 blocks, without normalisation"
    assert (one.found[0]["runs"], one.found[0]["evidence"]) == ("5 of 6 runs", "gradient, root mean square of block 1")
    assert one.remedies == [Remedy("init=he", is_setting=True), Remedy("a lower learning rate", is_setting=False)]
    assert (one.commands, two.commands) == ([], [command])
    assert two.found[0]["where"] == "ReLU"


def test_it_is_said_where_nothing_was_found_and_what_could_not_be_judged():
    nothing = found(advice(), MetricTable())
    assert nothing.summary == "Nothing: none of the 11 rules holds in any of 6 runs of 2 configurations."
    one = found(Advice(Path("outputs/study"), (), 1, 1, (), ()), MetricTable())
    assert one.summary == "Nothing: none of the 11 rules holds in 1 run of 1 configuration."
    assert nothing.notes == ["Slow start, in 1 run: no loss", "1 run: not finished yet"]
    assert found(advice(runs=0), MetricTable()).summary.startswith("No run has ended yet")
