"""`python -m gradflow.advise`: what it prints, wrong input, and a real sweep whose fault it must find."""

import pytest
from forged_runs import typical, write_run
from rich.console import Console

from gradflow import terminal
from gradflow.advise.__main__ import main
from gradflow.advise.rules import RULES
from gradflow.invocation import interpreter


@pytest.fixture
def study(tmp_path):
    """Three seeds in which 01_block has dead units, three without a fault."""
    folder = tmp_path / "made_up"
    for seed in range(3):
        write_run(folder, seed=seed, **typical(accuracy=0.9 + seed / 100, dead=0.5))
        write_run(folder, seed=seed, activation="tanh", **typical(accuracy=0.9 + seed / 100))
    return folder


def test_a_finding_is_printed_with_its_evidence_rule_and_remedy(study, capsys):
    assert main([str(study)]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == f"{study}: 1 finding of 1 kind in 6 runs of 2 configurations"
    text = " ".join(lines)
    assert "dead units (weak)" in lines
    assert "relu, blocks=2: 3 of 3 runs 50 % of the units of 00_stem are dead after epoch 1" in " ".join(text.split())
    assert "rule: more than 20 % of a layer's units" in text
    assert "try: activation=leaky_relu, init=he, a lower optimizer.lr or model.norm=batch" in " ".join(text.split())
    assert "not judged: slow start in 6 runs (fewer than 100 updates)" in lines


def test_markdown_has_the_same_in_a_table(study, capsys):
    assert main([str(study), "--markdown"]) == 0
    out = capsys.readouterr().out
    assert "## Dead units (weak)\n" in out
    assert "| where | runs | evidence |\n| --- | --- | --- |\n| relu, blocks=2 | 3 of 3 runs | 50 % of the units" in out
    assert "\nTry: activation=leaky_relu, init=he, a lower optimizer.lr or model.norm=batch.\n" in out
    assert "- not judged: slow start in 6 runs (fewer than 100 updates)\n" in out


@pytest.fixture
def suggested(tmp_path):
    """Three seeds in which tanh is behind, in a folder whose name makes the command for more seeds a long one."""
    folder = tmp_path / ("long" * 20) / "study"
    for seed in range(3):
        write_run(folder, seed=seed, **typical(accuracy=0.9 + seed / 100))
        write_run(folder, seed=seed, activation="tanh", **typical(accuracy=0.7 + seed / 90))
    return folder


def test_the_command_for_more_seeds_stands_on_a_line_of_its_own(suggested, capsys):
    assert main([str(suggested)]) == 0
    lines = capsys.readouterr().out.splitlines()
    command = f"{interpreter()} train.py -m activation=relu,tanh blocks=2 output_dir={suggested.parent} seed=3,4,5"
    place = lines.index(f"    {command}")
    assert lines[place - 1].strip() == "try:  more seeds"
    assert main([str(suggested), "--markdown"]) == 0
    assert f"\nTry: more seeds:\n\n```\n{command}\n```\n" in capsys.readouterr().out


def test_on_a_narrow_screen_no_word_is_cut_off_or_broken(tmp_path, capsys, monkeypatch):
    folder = tmp_path / "study"
    for norm, activation in (("none", "leaky_relu"), ("batch", "softsign")):
        axes = {"model.norm": norm}
        write_run(folder, activation=activation, axes=axes, **typical(blocks=16, dead=0.5))
    main([str(folder)])
    wide = capsys.readouterr().out.split()
    monkeypatch.setattr(terminal, "console", Console(width=40, highlight=False))
    main([str(folder)])
    assert sorted(capsys.readouterr().out.split()) == sorted(wide)


def test_where_nothing_is_wrong_it_says_so(tmp_path, capsys):
    write_run(tmp_path / "fine", **typical())
    assert main([str(tmp_path / "fine")]) == 0
    assert f"nothing wrong found in 1 run of 1 configuration: none of the {len(RULES)} rules holds" in " ".join(
        capsys.readouterr().out.split()
    )


def test_where_no_run_has_ended_it_says_so(tmp_path, capsys):
    write_run(tmp_path / "early", state="planned")
    assert main([str(tmp_path / "early")]) == 0
    out = capsys.readouterr().out
    assert "no run has ended yet" in out
    assert "not judged: 1 run not finished yet" in out


@pytest.mark.parametrize("markdown", [[], ["--markdown"]])
def test_the_rules_are_printed_without_a_study(markdown, capsys):
    assert main(["--rules", *markdown]) == 0
    out = " ".join(capsys.readouterr().out.split())
    for rule in RULES:
        assert rule.name in out
    assert "0.001 of the largest layer's" in out
    assert "Lu et al. 2019, arXiv:1903.06733" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "STUDY: missing"),
        (["nowhere"], "nowhere: no runs here; a study is a folder such as outputs/digits_conv"),
        (["STUDY", "--baseline", "gelu"], "baseline=gelu: the study has relu, tanh"),
        (["STUDY", "--metric", "test/none"], "metric=test/none: no finished run has it"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(study, arguments, message, capsys):
    assert main([str(study) if one == "STUDY" else one for one in arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"gradflow: {message}")
    assert error.count("\n") == 1


@pytest.mark.slow
def test_a_deep_sigmoid_network_is_found_to_vanish(command, tmp_path, capsys):
    outcome = command(
        *("-m", "activation=sigmoid,relu", "blocks=10", "width=16", "model=mlp", "seed=0,1", "trainer=cpu"),
        *("init=he", "trainer.max_epochs=4", "callbacks.pictures=null", "callbacks.health_warnings=null"),
    )
    assert outcome.status == 0, outcome
    assert main([str(tmp_path / "outputs" / "digits_mlp"), "--markdown"]) == 0
    out = capsys.readouterr().out
    vanishing = out.split("## Vanishing gradient (broken)")[1].split("##")[0]
    assert "| sigmoid, blocks=10 | 2 of 2 runs | 01\\_block gets " in vanishing
    assert "relu" not in vanishing.replace("activation=relu", "")
    assert "Try: activation=relu, model.norm=batch, model.residual=true or fewer blocks." in vanishing  # init=he it has
    learned = out.split("## Hardly learned (broken)")[1].split("##")[0]
    assert "sigmoid, blocks=10 | 2 of 2 runs" in learned  # four epochs of 38 updates at a loss of ln 10
