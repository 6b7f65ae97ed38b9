"""`resume=STUDY`: what is unfinished there, as it was planned, wherever the study lies now."""

import shutil

import pytest
from finished_runs import record, run_folders
from forged_runs import write_run
from omegaconf import OmegaConf

from gradflow.runs.record import write_record
from gradflow.sweep import jobs, resume

SMALL = ("model=mlp", "blocks=1", "width=4", "trainer=cpu")


@pytest.fixture
def trained(monkeypatch):
    """Runs are not trained but collected: (configuration, folder)."""
    found = []
    monkeypatch.setattr(jobs, "run", lambda cfg, folder, **_: found.append((cfg, folder)) or {})
    return found


def test_runs_come_seed_by_seed(compose, tmp_path, monkeypatch):
    for activation in ("tanh", "elu"):
        for seed in (10, 9):
            write_run(tmp_path / "study", activation=activation, seed=seed, state="planned")
    monkeypatch.setattr(resume, "planned_configuration", lambda folder: OmegaConf.create())
    wanted = resume.wanted([tmp_path / "study"], command=compose("trust=true"))
    assert [(run.overrides[0], run.overrides[2]) for run in wanted] == [
        (f"activation={activation}", f"seed={seed}") for seed in (9, 10) for activation in ("elu", "tanh")
    ]


def test_studies_are_resumed_as_planned_whatever_has_become_of_the_options(command, trained, tmp_path, monkeypatch):
    monkeypatch.setenv("RATE", "0.25")
    assert command("-m", *SMALL, "study=a,b", "seed=0,1", "optimizer.lr=${oc.env:RATE}").status == 0
    trained.clear()
    monkeypatch.delenv("RATE")
    (tmp_path / "moved").mkdir()
    (tmp_path / "outputs" / "a").rename(tmp_path / "moved" / "c")
    for typed in ("resume=moved/c,outputs/b", "resume=[moved/c,outputs/b]"):
        outcome = command(typed)
        assert outcome.status == 0, outcome
        assert "4 runs to train in " in outcome.out
        assert [(cfg.study, cfg.seed, cfg.optimizer.lr, cfg.rerun) for cfg, _ in trained] == [
            (study, seed, 0.25, False) for seed in (0, 1) for study in ("c", "b")
        ]
        assert {folder.parents[1] for _, folder in trained} == {tmp_path / "moved" / "c", tmp_path / "outputs" / "b"}
        trained.clear()
    assert {path.name for path in (tmp_path / "outputs").iterdir()} == {"b"}


def test_finished_and_unfinished_runs_stand_in_one_table(command, tiny, tmp_path):
    assert command(*tiny, "-m", "activation=relu,tanh", "study=a").status == 0
    (unfinished,) = [run for run in run_folders(tmp_path) if "tanh" in str(run)]
    write_record(unfinished, record(unfinished) | {"state": "interrupted"})
    outcome = command("resume=outputs/a")
    assert f"1 run to train (1 already done) in {tmp_path / 'outputs' / 'a'}" in " ".join(outcome.out.split())
    assert outcome.out.count("a: test/acc_at_best") == 1


@pytest.mark.parametrize("typed", ["resume=", "resume=null", "resume=3", "resume=true", "resume=[]", "resume=[3]"])
def test_what_names_no_study_trains_nothing(command, trained, tmp_path, typed):
    outcome = command(typed, "seed=0")
    assert (outcome.status, outcome.err.count("\n")) == (2, 1)
    assert outcome.err.startswith("gradflow: resume=")
    assert "name the folder of a study" in outcome.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("typed", ["resume=[a]", "resume=nothing,a", "resume=$NOT_SET/x"])
def test_a_study_that_is_not_there_is_named(command, tmp_path, typed):
    outcome = command(typed)
    assert (outcome.status, outcome.err.count("\n")) == (2, 1)
    assert outcome.err.startswith("gradflow: resume=")
    assert not list(tmp_path.iterdir())


def test_a_damaged_configuration_is_named_and_the_command_mends_it(command, trained, tmp_path):
    assert command(*SMALL).status == 0
    (run,) = tmp_path.glob("outputs/*/*/seed=0")
    file, trained[:] = run / ".hydra" / "config.yaml", []
    whole = file.read_text()
    for damaged in ("", whole.replace("lr: 0.001", "lr: 0.5"), whole[:100]):
        file.write_text(damaged)
        outcome = command("resume=outputs/digits_mlp")
        assert (outcome.status, outcome.err.count("\n")) == (2, 1), outcome
        assert "give the command" in outcome.err
    shutil.rmtree(run / ".hydra")
    assert command("resume=outputs/digits_mlp").status == 2
    assert not trained
    assert command(*SMALL).status == 0
    assert file.read_text() == whole
    assert len(trained) == 1


def test_the_knob_of_a_configuration_file_resumes_too(command, trained, tmp_path):
    assert command(*SMALL).status == 0
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.yaml").write_text("defaults: [train, _self_]\nresume: outputs/digits_mlp\n")
    outcome = command("-cn", "mine", "--config-dir", "own")
    assert outcome.status == 0, outcome
    assert len(trained) == 2
