"""What is printed after a sweep: commands that can be copied, and how to go on after Ctrl-C."""

import shlex
from itertools import pairwise

from forged_runs import typical, write_run

from gradflow import invocation
from gradflow.study.answer import answer
from gradflow.study.records import study_runs
from gradflow.sweep import next_steps
from gradflow.sweep.plan import PlannedRun


def forged(study, seeds=2, **more):
    return [
        PlannedRun(write_run(study, seed=seed, **typical(accuracy=0.9 + seed / 100), **more)) for seed in range(seeds)
    ]


def commands(printed):
    lines = printed.splitlines()
    return {above.removeprefix("next: "): line.strip() for above, line in pairwise(lines)}


def test_after_a_sweep_come_the_report_tensorboard_and_the_seeds_that_are_missing(tmp_path, capsys):
    study = tmp_path / "two words"
    next_steps.show([*forged(study), *forged(study, activation="tanh")])
    printed = capsys.readouterr().out
    assert printed.startswith(f"{answer(study_runs(study)).sentences[0]}\nEvidence from 2 seeds: ")
    found = commands(printed)
    tool, place = f"{invocation.interpreter()} -m gradflow", shlex.quote(str(study))
    assert found["the report, a page with the answer and its charts"] == f"{tool}.study {place} report"
    assert found["curves in TensorBoard"] == f"{tool}.tensorboard {place}"
    (more,) = (command for purpose, command in found.items() if purpose.startswith("more seeds. To settle"))
    assert " -m activation=relu,tanh blocks=2 " in more
    assert more.endswith("seed=2,3,4,5")


def test_one_activation_needs_no_seeds_and_no_results_need_no_report(tmp_path, capsys):
    next_steps.show(forged(tmp_path / "alone"))
    printed = capsys.readouterr().out
    assert printed.splitlines()[0] == answer(study_runs(tmp_path / "alone")).sentences[0]
    assert not any("seeds" in purpose or "Evidence" in purpose for purpose in commands(printed))
    write_run(tmp_path / "early", state="planned")
    next_steps.show([PlannedRun(*tmp_path.glob("early/*/*"))])
    assert capsys.readouterr().out == ""


def test_runs_with_different_headlines_are_not_compared(tmp_path, capsys):
    next_steps.show([*forged(tmp_path / "s"), *forged(tmp_path / "s", activation="tanh", headline="val/acc")])
    assert [line.partition(" ")[0] for line in capsys.readouterr().out.splitlines() if line[0] != " "] == ["next:"] * 2


def test_of_many_studies_the_first_are_named(tmp_path, capsys):
    next_steps.show([run for name in "abcd" for run in forged(tmp_path / name)])
    out = capsys.readouterr().out
    assert [f"{tmp_path / name} report" in out for name in "abcd"] == [True, True, False, False]
    assert "the same for the other 2 studies\n" in out


def test_after_ctrl_c_the_command_goes_on_but_never_trains_everything_again(tmp_path, capsys, monkeypatch):
    runs = [*forged(tmp_path / "s"), PlannedRun(tmp_path / "s" / "activation=tanh" / "seed=0")]
    monkeypatch.setenv(invocation.COMMAND, "train.py -m 'study=two words' seed=0,1")
    next_steps.say_how_to_go_on(runs)
    said, command = capsys.readouterr().out.splitlines()
    assert said == "2 of 3 runs done, 1 left: the same command goes on from here"
    assert command.strip() == f"{invocation.interpreter()} train.py -m 'study=two words' seed=0,1"
    monkeypatch.setenv(invocation.COMMAND, "train.py rerun=true seed=0")
    next_steps.say_how_to_go_on(runs[-1:])
    said, command = capsys.readouterr().out.splitlines()
    assert said == "without rerun=true, the same command goes on from here"
    assert command.strip() == f"{invocation.interpreter()} train.py seed=0"
