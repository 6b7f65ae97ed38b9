"""Run folders are found, in order, and nothing else is."""

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
