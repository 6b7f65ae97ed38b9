"""Settings of Hydra's that gradflow sets itself, from the command line or from a file."""

import pytest

SETTINGS = {
    "hydra.mode=RUN": "leave it out",
    "hydra.sweep.dir=X": "use output_dir=FOLDER or study=NAME",
    "hydra.sweep.subdir=X": "use output_dir=FOLDER or study=NAME",
    "hydra.run.dir=X": "use output_dir=FOLDER or study=NAME",
    "hydra.output_subdir=X": "leave it out",
    "hydra.job.chdir=true": "leave it out",
}


def refused(outcome, text):
    return outcome.status == 2 and outcome.err.count("\n") == 1 and text in outcome.err


@pytest.mark.parametrize(("setting", "remedy"), SETTINGS.items())
def test_each_is_refused_before_anything_is_written(command, tmp_path, setting, remedy):
    outcome = command(setting)
    assert refused(outcome, f"gradflow: {setting}: "), outcome
    assert outcome.err.endswith(f"{remedy}\n")
    assert not list(tmp_path.iterdir())


def test_another_sweeper_is_refused_before_it_writes_anything(command, tmp_path):
    assert refused(command("hydra/sweeper=basic", "hydra.sweep.dir=X"), "BasicSweeper: gradflow's own sweeper plans")
    assert refused(command("hydra/sweeper=optuna"), "hydra/sweeper=optuna: no such option")
    assert not list(tmp_path.iterdir())


def test_those_of_a_configuration_of_ones_own_and_of_a_preset_are_refused_too(command, tmp_path):
    own, outputs = tmp_path / "own", tmp_path / "outputs"
    (own / "experiment").mkdir(parents=True)
    (own / "mine.yaml").write_text("defaults: [train, _self_]\nhydra: {sweep: {dir: X}}\n")
    (own / "experiment" / "a.yaml").write_text("# @package _global_\nhydra: {job: {chdir: true}}\n")
    (own / "experiment" / "b.yaml").write_text("# @package _global_\nstudy: b\n")
    assert refused(command("-cn", "mine", "--config-dir", str(own)), "hydra.sweep.dir=X: ")
    where = f"hydra.searchpath=[file://{own}]"
    for presets in ("a", "b,a"):
        assert refused(command(where, f"experiment={presets}"), "hydra.job.chdir=true: ")
    assert not outputs.exists()
    assert not (tmp_path / "X").exists()


def test_flags_that_do_not_go_together_are_refused_in_a_line(command):
    outcome = command("--cfg", "job", "-m", "blocks=1")
    assert refused(outcome, "gradflow: blocks=1 --cfg job -m: only one of --run, --multirun, --cfg, --info")
