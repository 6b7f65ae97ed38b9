"""Run folders are found, in order, and nothing else is."""

from gradflow.runs import folders
from gradflow.runs.record import planned_record, write_record
from gradflow.study.records import study_runs


def test_the_runs_of_a_study_by_configuration_then_seed(tmp_path):
    study = tmp_path / "study"
    for config, seed in [("b", 10), ("b", 9), ("a", 1), ("b", 2)]:
        folder = folders.run_folder(tmp_path, "study", config, seed)
        write_record(folder, planned_record(study="study", config=config, config_hash="", axes={}, seed=seed))
    (study / "a" / "mean").mkdir()
    (study / "a" / "seed=7").mkdir()  # made, but not yet planned
    (study / "report").mkdir()
    assert [(r["config"], r["seed"]) for r in study_runs(study)] == [("a", 1), ("b", 2), ("b", 9), ("b", 10)]


def test_a_study_that_is_not_there_has_no_runs(tmp_path):
    assert study_runs(tmp_path / "none") == []
