"""`python -m gradflow.study`: the commands, their output, and wrong input."""

import pytest
from forged_runs import typical, write_run

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
    assert "too few seeds for a claim" in out.lower()
    assert (study / "report" / "index.html").exists()
    assert len(list(study.glob("*/mean/events.out.tfevents.*"))) == 2


@pytest.mark.parametrize("command", ["status", "average", "compare"])
def test_each_of_these_commands_alone_writes_no_report(study, command, capsys):
    assert main([str(study), command]) == 0
    assert capsys.readouterr().out
    assert not (study / "report").exists()


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
