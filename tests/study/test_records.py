"""Run folders are found, in order, and nothing else is."""

import re
import shutil

import pandas as pd
import pytest
from forged_runs import typical, write_run

from gradflow.advise.__main__ import main as advise_main
from gradflow.report import write
from gradflow.report.frames import study_frames
from gradflow.runs.events import curves
from gradflow.study import records
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


def harmed(study, harm):
    """Three seeds of two activations; the curves of one run are harmed."""
    for seed in range(3):
        for activation, accuracy in (("relu", 0.9), ("sigmoid", 0.8)):
            write_run(study, **typical(accuracy=accuracy + seed / 100), activation=activation, seed=seed)
    run = study / "activation=relu,blocks=2" / "seed=1"
    harm(next(run.glob("events.*")))
    return run


COMMANDS = ("status", "average", "compare", "report", "advise")


def given(command, study):
    if command == "report":
        study_frames(study, study_runs(study))  # what it reads; drawing takes seconds
    else:
        assert advise_main([str(study)]) == 0 if command == "advise" else study_main([str(study), command]) == 0


@pytest.mark.parametrize(
    "harm", [lambda file: file.write_bytes(b""), lambda file: file.unlink()], ids=["short", "missing"]
)
def test_every_command_names_a_run_whose_curves_are_short_or_missing_in_one_line(tmp_path, caplog, harm):
    run = harmed(tmp_path / "study", harm)
    for command in COMMANDS:
        given(command, tmp_path / "study")
        (line,) = caplog.messages
        assert line.startswith(f"{run}: its curves are not whole (")
        assert line.endswith("and are left out; the same command trains it again")
        caplog.clear()


@pytest.mark.parametrize("harm", [bytes, lambda size: b"\xa5" * size], ids=["zeros", "garbage"])
def test_every_command_that_reads_curves_names_a_run_whose_curves_are_damaged(tmp_path, caplog, harm):
    run = harmed(tmp_path / "study", lambda file: file.write_bytes(harm(file.stat().st_size)))
    for command in COMMANDS:
        given(command, tmp_path / "study")
        assert len(caplog.messages) == (command in ("average", "report", "advise"))
        assert all(re.match(rf"{run}: its curves .*: damaged at byte 0\) and are left out", m) for m in caplog.messages)
        caplog.clear()


def test_averages_report_and_advice_are_those_of_the_whole_runs(tmp_path, capsys):
    study, whole = tmp_path / "study", tmp_path / "whole"
    harmed(study, lambda file: file.write_bytes(b""))
    harmed(whole, lambda file: None)
    shutil.rmtree(whole / "activation=relu,blocks=2" / "seed=1")
    relu, relu_whole = (curves(one / "activation=relu,blocks=2" / "mean") for one in (study, whole) if _averaged(one))
    assert relu.keys() == relu_whole.keys()
    assert all(relu[tag].values.tolist() == relu_whole[tag].values.tolist() for tag in relu)
    assert advise_main([str(study)]) == 0
    assert "in 5 runs of 2 configurations" in capsys.readouterr().out


def _averaged(study):
    return study_main([str(study), "average"]) == 0


def test_a_configuration_without_a_whole_run_has_no_curves_in_the_report(tmp_path, caplog):
    study = tmp_path / "study"
    harmed(study, lambda file: None)
    for file in study.glob("activation=relu,*/*/events.*"):
        file.write_bytes(b"")
    for command in COMMANDS:
        given(command, study)
        assert len(caplog.messages) == 3
        caplog.clear()
    assert not (study / "activation=relu,blocks=2" / "mean").exists()
    frames = study_frames(study, study_runs(study))
    assert set(frames.learning["activation"]) == set(frames.layers["activation"]) == {"sigmoid"}
    assert set(frames.final["activation"]) == {"relu", "sigmoid"}  # of run.json


def test_the_report_reads_the_curves_of_each_run_once(tmp_path, monkeypatch):
    study, read = tmp_path / "study", []
    harmed(study, lambda file: None)
    monkeypatch.setattr(records, "curves", lambda folder: read.append(folder) or curves(folder))
    monkeypatch.setattr(write, "figures", lambda *_: [])  # drawing takes seconds
    assert study_main([str(study), "report"]) == 0
    assert sorted(read) == sorted(study.glob("*/seed=*"))


@pytest.mark.slow
def test_the_report_of_a_study_with_all_this_is_written(tmp_path, caplog):
    study = tmp_path / "study"
    run = harmed(study, lambda file: file.write_bytes(b""))
    (run / "samples.npz").write_bytes(b"")
    (study / "activation=sigmoid,blocks=2" / "seed=0" / "run.json").write_bytes(b"")
    assert study_main([str(study), "report"]) == 0
    assert [message.partition(": ")[0] for message in caplog.messages] == ["left out", str(run), "left out"]
    assert (study / "report" / "index.html").exists()


DAMAGED = {
    "run.json": [b"", b"[]", b"{}", b"null", b'{"state": "finished"}', b"\xff\xfe", b'{"metrics": null}'],
    ".hydra/config.yaml": [b"", b"[1", b"- a", b"\xff\xfe", b"a: !!python/object:os.system {}", b"text", b"\x00"],
}


@pytest.mark.parametrize(("name", "content"), [(name, one) for name, some in DAMAGED.items() for one in some])
def test_no_damaged_file_ends_a_command(tmp_path, caplog, name, content):
    run = harmed(tmp_path / "study", lambda file: None)
    (run / name).parent.mkdir(exist_ok=True)
    (run / name).write_bytes(content)
    for command in COMMANDS:
        given(command, tmp_path / "study")
    assert all(f"{run / name}: damaged" in message for message in caplog.messages)
    assert caplog.messages or name == ".hydra/config.yaml"
