"""Run folders are found, in order, and nothing else is."""

from forged_runs import write_run

from gradflow.study.records import study_runs


def test_the_runs_of_a_study_by_configuration_then_seed(tmp_path):
    study = tmp_path / "study"
    for config, seed in [("b", 10), ("b", 9), ("a", 1), ("b", 2)]:
        write_run(study, config=config, seed=seed, state="planned")
    (study / "a" / "mean").mkdir()
    (study / "a" / "seed=7").mkdir()  # made, but not yet planned
    (study / "report").mkdir()
    assert [(r["config"], r["seed"]) for r in study_runs(study)] == [("a", 1), ("b", 2), ("b", 9), ("b", 10)]


def test_a_study_that_is_not_there_has_no_runs(tmp_path):
    assert study_runs(tmp_path / "none") == []
