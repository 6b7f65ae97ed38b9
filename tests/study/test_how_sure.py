"""How sure an answer is where there is nothing to compare."""

import pytest
from forged_runs import run_record, scored_runs

from gradflow.study.how_sure import evidence


@pytest.mark.parametrize(
    ("records", "label"),
    [
        (scored_runs("relu", [0.9, 0.8, 0.7]), "Evidence from 3 seeds"),
        ([run_record("relu", state="planned")], "Evidence"),
    ],
)
def test_a_study_of_one_activation_has_seeds_and_no_verdict(records, label):
    found = evidence(records, [], None)
    assert (found.label, found.text) == (
        label,
        "no verdict, as verdicts compare activations and this study has only one.",
    )
