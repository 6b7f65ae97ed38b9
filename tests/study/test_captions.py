"""What the intervals of a study are said to cover."""

import pytest
from forged_runs import scored_runs

from gradflow.study.captions import covers, variation


@pytest.mark.parametrize(
    ("resampled", "expected"),
    [
        (None, "training's randomness, with one split and one test set"),
        (
            "split",
            "training's randomness and the split, as every seed has its own training, validation and test set",
        ),
        (
            "validation",
            "training's randomness and the split into training and validation set, with one test set",
        ),
    ],
)
def test_the_sentence_depends_on_what_differs_between_seeds(resampled, expected):
    records = scored_runs("relu", [0.8, 0.9], resampled=resampled)
    assert variation(records) == expected
    assert covers(records) == f"The 95 % intervals cover {expected}."


def test_a_study_of_both_says_where_the_split_varies():
    records = [*scored_runs("relu", [0.8, 0.9]), *scored_runs("relu", [0.8, 0.9], blocks=2, resampled="split")]
    assert variation(records) == "training's randomness, and with resample_split=true the split"


def test_without_a_second_seed_there_is_no_interval_to_speak_of():
    one = [*scored_runs("relu", [0.8]), *scored_runs("tanh", [0.9])]
    assert covers(one) == ""
    unfinished = scored_runs("relu", [0.8, 0.9])
    unfinished[1]["state"] = "failed"
    assert covers(unfinished) == ""
