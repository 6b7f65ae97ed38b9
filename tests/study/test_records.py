"""Run folders are found, in order, and nothing else is."""

import shutil

import pandas as pd
from forged_runs import typical, write_run

from gradflow.advise.__main__ import main as advise_main
from gradflow.study.__main__ import main as study_main
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


def test_a_damaged_record_is_named_and_the_others_count(tmp_path, caplog):
    study = tmp_path / "study"
    damaged, whole = (write_run(study, config="a", seed=seed) for seed in (0, 1))
    file = damaged / "run.json"
    file.write_bytes(file.read_bytes()[:200])
    assert [record["seed"] for record in study_runs(study)] == [1]
    (message,) = caplog.messages
    assert message.startswith(f"left out: {file}: damaged")
    assert whole.exists()


def test_a_copy_of_a_run_is_named_and_counts_nowhere(tmp_path, caplog):
    study = tmp_path / "study"
    for seed in range(3):
        for activation, accuracy in (("relu", 0.9), ("sigmoid", 0.8)):
            write_run(study, **typical(accuracy=accuracy + seed / 100), activation=activation, seed=seed)
    config, other = study / "activation=relu,blocks=2", study / "activation=sigmoid,blocks=2"
    whole = study_runs(study)
    shutil.copytree(config / "seed=0", config / "seed=0_backup")
    shutil.copytree(config / "seed=0", config / "seed=3")
    shutil.copytree(other, study / "other_name")
    assert caplog.messages == []
    assert study_runs(study) == whole
    assert caplog.messages == [
        f"left out: {study}/{copy}: its run.json is that of {said}; move this copy out of the study"
        for copy, said in [
            ("activation=relu,blocks=2/seed=0_backup", "activation=relu,blocks=2/seed=0"),
            ("activation=relu,blocks=2/seed=3", "activation=relu,blocks=2/seed=0"),
            *((f"other_name/seed={seed}", f"activation=sigmoid,blocks=2/seed={seed}") for seed in range(3)),
        ]
    ]
    for command in ("status", "average", "compare", "report"):
        assert study_main([str(study), command]) == 0
    assert not (study / "other_name" / "mean").exists()
    table = pd.read_csv(study / "report" / "table.csv")
    assert set(table["n"]) == {3}


def test_a_study_that_was_moved_is_whole(tmp_path, caplog):
    write_run(tmp_path / "study", seed=1)
    (tmp_path / "elsewhere").mkdir()
    moved = (tmp_path / "study").rename(tmp_path / "elsewhere" / "renamed")
    assert [record["seed"] for record in study_runs(moved)] == [1]
    assert caplog.messages == []


def test_every_command_on_a_study_with_a_damaged_record_works_with_the_others(tmp_path, caplog):
    study = tmp_path / "study"
    for seed in range(3):
        for activation, accuracy in (("relu", 0.9), ("sigmoid", 0.8)):
            write_run(study, **typical(accuracy=accuracy + seed / 100), activation=activation, seed=seed)
    (study / "activation=relu,blocks=2" / "seed=1" / "run.json").write_text("[]")
    for command in ("status", "average", "compare"):
        assert study_main([str(study), command]) == 0
        assert "seed=1/run.json: damaged (not a JSON object)" in caplog.text
        caplog.clear()
    assert advise_main([str(study)]) == 0
