"""The remedies that the rules name do help: networks of the digits with the ailment, and with each remedy."""

import pytest
from finished_runs import record

from gradflow.advise.rules import DEAD_UNITS, LAGGING, VANISHING
from gradflow.runs.folders import RUN_FILE

QUIET = ("trainer=cpu", "threads=1", "callbacks.pictures=null")
DEEP = ("model=mlp", "blocks=8")
CONV = ("blocks=4", "width=16", "trainer.max_epochs=5", "activation=sigmoid")
WORDS = {"fewer blocks": ["blocks=2"], "a lower optimizer.lr": ["optimizer.lr=1e-4"]}  # as overrides


@pytest.fixture
def metrics(command, tmp_path):
    """The final metrics of a run with these overrides."""

    def train(*overrides):
        study = f"study{len(list(tmp_path.glob('outputs/*')))}"
        assert command(*QUIET, f"study={study}", *overrides).status == 0
        (file,) = tmp_path.glob(f"outputs/{study}/*/*/{RUN_FILE}")
        return record(file.parent)["metrics"]

    return train


def overrides_of(remedy):
    return WORDS.get(remedy, [remedy])


@pytest.mark.slow
def test_every_remedy_against_a_vanishing_gradient_lets_more_of_it_through_and_the_network_learn(metrics):
    ailing = metrics(*DEEP, "activation=sigmoid")
    assert ailing["grad_flow/gain_per_layer"] < 0.2
    for remedy in VANISHING.remedies:
        cured = metrics(*DEEP, "activation=sigmoid", *overrides_of(remedy))
        assert cured["test/acc_at_best"] > ailing["test/acc_at_best"] + 0.05, remedy
        if remedy != "fewer blocks":  # two have no gain
            assert cured["grad_flow/gain_per_layer"] > 2 * ailing["grad_flow/gain_per_layer"], remedy


@pytest.mark.slow
def test_every_remedy_against_dead_units_leaves_fewer(metrics):
    ailing = metrics(*DEEP, "activation=relu")
    assert ailing["dead_units/total"] > 0.1
    # These die of the initial weights; the lesson has units that a high rate kills and a lower one saves.
    for remedy in set(DEAD_UNITS.remedies) - {"a lower optimizer.lr"}:
        cured = metrics(*DEEP, "activation=relu", *overrides_of(remedy))
        assert cured["dead_units/total"] < ailing["dead_units/total"], remedy


@pytest.mark.slow
def test_every_remedy_against_lagging_running_averages_closes_the_gap(metrics):
    ailing = metrics(*CONV, "batch_norm=running")
    lag = ailing["test/acc_recomputed_bn"] - ailing["test/acc"]
    assert lag > 0.1
    for remedy in LAGGING.remedies:
        if remedy == "batch_norm=recomputed":
            assert metrics(*CONV)["test/acc"] == pytest.approx(ailing["test/acc_recomputed_bn"])
            continue
        cured = metrics(*CONV, "batch_norm=running", *overrides_of(remedy))
        assert cured["test/acc_recomputed_bn"] - cured["test/acc"] < lag / 2, remedy
