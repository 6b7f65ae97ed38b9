"""How sure an answer is, in one line."""

from forged_runs import run_record, scored_run, scored_runs

from gradflow.study.comparison.compare import compare
from gradflow.study.how_sure import evidence


def said(records):
    found = evidence(records, compare(records), None)
    return f"{found.label}: {found.text}"


def test_it_says_from_how_many_pairs_of_seeds_however_many_each_depth_has():
    runs = [
        run
        for blocks, seeds in ((1, 2), (4, 3))
        for name in ("relu", "tanh")
        for run in scored_runs(name, [0.9, 0.8, 0.7][:seeds], blocks=blocks)
    ]
    assert said(runs).startswith("Evidence from 2 to 3 seeds: ")
    assert said([run for run in runs if run["blocks"] == 4]).startswith("Evidence from 3 seeds: ")


def test_without_a_pair_no_number_of_seeds_is_claimed():
    assert said([scored_run("relu", 0.9), run_record("tanh", blocks=4, state="diverged")]).startswith("Evidence: ")


def test_a_study_of_one_activation_has_seeds_and_no_verdict():
    none = "no verdict, as verdicts compare activations and this study has only one."
    assert said(scored_runs("relu", [0.9, 0.8, 0.7])) == f"Evidence from 3 seeds: {none}"
    assert said([run_record("relu", state="planned")]) == f"Evidence: {none}"
