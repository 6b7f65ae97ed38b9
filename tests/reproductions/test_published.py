"""The published claims, in a form that can be judged."""

import pytest

from gradflow import CONF
from gradflow.reproductions import collect
from gradflow.reproductions.collect import BY_EPOCH, METRICS
from gradflow.reproductions.published import experiments
from gradflow.reproductions.verdicts import RULES

CLAIMS = [(one.study, claim) for one in experiments() for claim in one.claims]


@pytest.mark.parametrize(("study", "claim"), CLAIMS, ids=lambda value: getattr(value, "text", value))
def test_a_claim_can_be_judged(study, claim):
    assert claim.rule in RULES
    if study != "six_layers":
        assert claim.metric in (BY_EPOCH if claim.epoch or claim.over else METRICS)
        wanted = collect.preset_runs(study)
        assert any(run["activation"] == claim.activation and run.get("blocks") == claim.blocks for run in wanted)
    assert claim.curve in (None, *BY_EPOCH)


def test_every_study_is_a_preset_or_measured_here():
    files = {file.stem for file in (CONF / "experiment").glob("*.yaml")}
    assert {one.study for one in experiments()} <= files | {"six_layers"}


def test_depths_are_claims_of_their_own():
    relu = [c for study, c in CLAIMS if study == "cifar10_depth" and c.activation == "relu" and c.curve]
    assert [(c.blocks, c.published) for c in relu] == [(1, 0.5499), (2, 0.6611), (4, 0.7363), (6, 0.7884), (8, 0.8007)]
    assert relu[0].text == "ReLU, best test accuracy, 1 block"


def test_the_runs_of_a_preset_are_its_whole_grid():
    runs = collect.preset_runs("cifar10_depth")
    assert len(runs) == 2 * 5 * 3
    assert {"activation": "sigmoid", "blocks": 8, "seed": 2} in runs
    inherited = collect.preset_runs("cifar10_lenet5_normalised")
    assert inherited == collect.preset_runs("cifar10_lenet5")
    assert set(inherited[0]) == {"activation", "seed"}


def test_presets_say_the_same_published_numbers_as_the_claims():
    """The head of a preset's file quotes what was published."""
    for one in experiments():
        for claim in one.claims:
            if claim.rule == "near" and claim.curve and claim.blocks:
                text = (CONF / "experiment" / f"{one.study}.yaml").read_text()
                assert f"{100 * claim.published:.2f}" in text
