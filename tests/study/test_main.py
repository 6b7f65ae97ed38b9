"""`python -m gradflow.study`: the commands, their output, and wrong input."""

import errno
import os
import shutil

import pytest
from filelock import FileLock
from forged_runs import typical, write_run
from rich.console import Console

from gradflow import terminal
from gradflow.invocation import interpreter
from gradflow.report import write
from gradflow.study.__main__ import main


@pytest.fixture
def study(tmp_path):
    folder = tmp_path / "digits"
    for seed in range(3):
        for activation, accuracy in [("relu", 0.95), ("sigmoid", 0.80)]:
            write_run(folder, activation=activation, seed=seed, **typical(accuracy=accuracy + seed / 100))
    return folder


@pytest.mark.slow
def test_without_a_command_it_does_everything(study, capsys):
    assert main([str(study)]) == 0
    out = capsys.readouterr().out
    assert "6 finished" in out
    assert "averaged the seeds of 2 configurations" in out
    assert "too few seeds, 3 of the 6 that 1 comparison needs" in " ".join(out.split())
    assert (study / "report" / "index.html").exists()
    assert len(list(study.glob("*/mean/events.out.tfevents.*"))) == 2


@pytest.mark.parametrize("command", ["status", "average", "compare"])
def test_each_of_these_commands_alone_writes_no_report(study, command, capsys):
    assert main([str(study), command]) == 0
    assert capsys.readouterr().out
    assert not (study / "report").exists()


def test_one_configuration_is_not_several(tmp_path, capsys):
    write_run(tmp_path / "digits", activation="relu", seed=0, **typical(accuracy=0.9))
    assert main([str(tmp_path / "digits"), "average"]) == 0
    assert "averaged the seeds of 1 configuration into" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "no runs here"),
        (["STUDY", "compare", "--baseline", "gelu"], "gelu"),
        (["STUDY", "compare", "--tune", "optimizer.lr"], "optimizer.lr"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(study, arguments, message, capsys):
    assert main([str(study) if one == "STUDY" else one for one in arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_compare_has_one_verdict_whatever_else_was_measured(study, capsys):
    for seed in range(3):
        for activation in ("relu", "sigmoid"):
            run = typical(accuracy=0.9)
            run["metrics"]["test/acc_running_bn"] = 0.97
            write_run(study.parent / "normalised", activation=activation, seed=seed, **run)
    assert main([str(study.parent / "normalised"), "compare"]) == 0
    out = capsys.readouterr().out
    assert out.count(" against relu") == 1
    assert "running averages" not in out


def test_compare_ends_with_the_command_that_would_settle_what_is_open_on_one_line(study, capsys):
    assert main([str(study), "compare"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (
        f"  {interpreter()} train.py -m activation=relu,sigmoid blocks=2 output_dir={study.parent} seed=3,4,5" in lines
    )


def test_verdicts_fit_a_narrow_terminal(study, capsys, monkeypatch):
    monkeypatch.setattr(terminal, "console", Console(width=80, highlight=False))
    assert main([str(study), "compare"]) == 0
    table, text = capsys.readouterr().out.split("Holm: p corrected")
    assert "\N{HORIZONTAL ELLIPSIS}" not in table
    assert "ReLU or sigmoid scores higher: too few seeds (3 of the 6 needed)." in " ".join(text.split())
    command, *lines = sorted(text.splitlines(), key=lambda line: f"{interpreter()} train.py" not in line)
    assert command.startswith(f"  {interpreter()} train.py")  # to be copied whole
    assert max(map(len, lines)) <= 80


def test_a_folder_that_is_left_out_is_named_once(study, caplog):
    shutil.copytree(*(next(study.glob("*/seed=0")).with_name(name) for name in ("seed=0", "seed=0_backup")))
    assert main([str(study)]) == 0
    assert sum("seed=0_backup" in message for message in caplog.messages) == 1


def test_a_report_is_about_the_metric_that_is_named(study, monkeypatch):
    monkeypatch.setattr(write, "save", lambda figure, folder: None)
    assert main([str(study), "report", "--metric", "val/acc"]) == 0
    assert "Validation accuracy" in (study / "report" / "index.html").read_text()


@pytest.mark.parametrize("error", [errno.EACCES, errno.EROFS])
@pytest.mark.parametrize("command", ["average", "report"])
def test_a_study_that_may_only_be_read_is_refused_in_one_line_that_says_where_else(
    study, command, error, monkeypatch, capsys
):
    """As root, permissions do not bind: the lock is the first thing that is written."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(FileLock, "acquire", refuse)
    monkeypatch.setattr(write, "figures", lambda *_: pytest.fail("drawn for nothing"))
    before = sorted(study.rglob("*"))
    assert main([str(study), command]) == 2
    said = capsys.readouterr().err
    assert (
        said
        == f"gradflow: {study}: may not be written to; name a folder for averages and report, e.g. --output my_digits\n"
    )
    assert sorted(study.rglob("*")) == before


def test_a_report_goes_where_it_is_told_and_replaces_only_itself(study, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(write, "figures", lambda *_: [])
    monkeypatch.setenv("OWN", str(tmp_path / "own"))
    before = sorted(study.rglob("*"))
    for _ in range(2):
        assert main([str(study), "report", "--output", "$OWN"]) == 0
    assert f"report: {tmp_path}/own/report/index.html" in capsys.readouterr().out
    assert sorted(study.rglob("*")) == before
    assert sorted(file.name for file in (tmp_path / "own").iterdir()) == [".lock", "report"]


@pytest.mark.parametrize("command", ["status", "compare"])
def test_a_command_that_only_prints_takes_no_output(study, command, capsys):
    assert main([str(study), command, "--output", "x"]) == 2
    assert "--output x: no effect" in capsys.readouterr().err
