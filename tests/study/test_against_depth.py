"""What TensorBoard shows against depth, by hand."""

import math

import pytest
from forged_runs import write_run
from scipy import stats
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from gradflow.runs.events import curves
from gradflow.study.averages import average_study
from gradflow.study.records import study_runs
from gradflow.study.status import state_in

SCORE = "by depth/test accuracy"
GAIN = "by depth/gradient gain per layer"
DEAD = "by depth/dead units"


def write(study, activation="relu", *, blocks, scores, gains=(), dead=(), **more):
    for seed, score in enumerate(scores):
        metrics = {"test/acc_at_best": score}
        metrics |= {"grad_flow/gain_per_layer": gains[seed]} if gains else {}
        metrics |= {"dead_units/total": dead[seed]} if dead else {}
        write_run(
            study, activation=activation, blocks=blocks, seed=seed, curves={"val/acc": [0.5]}, metrics=metrics, **more
        )


def points(study, name, kind="mean"):
    """The values of each tag, by number of blocks."""
    found = curves(study / "summary" / name / kind)
    return {tag: dict(zip(one.steps.tolist(), one.values.tolist(), strict=True)) for tag, one in found.items()}


def test_final_scores_are_averaged_at_each_depth(tmp_path):
    write(tmp_path, blocks=2, scores=[0.7, 0.8, 0.9], dead=[0.0, 0.0, 0.0])
    write(tmp_path, blocks=8, scores=[0.4, 0.6], gains=[0.1, 0.001], dead=[0.5, 0.7])
    average_study(tmp_path, study_runs(tmp_path))
    mean, lower, upper = (points(tmp_path, "activation=relu", kind) for kind in ("mean", "lower", "upper"))
    assert mean[SCORE] == {2: pytest.approx(0.8), 8: pytest.approx(0.5)}
    half = float(stats.t.ppf(0.975, 2)) * 0.1 / math.sqrt(3)  # 0.7, 0.8, 0.9: standard deviation 0.1
    assert lower[SCORE][2] == pytest.approx(0.8 - half)
    assert upper[SCORE][2] == pytest.approx(min(1.0, 0.8 + half))
    assert mean[GAIN] == {8: pytest.approx(0.01)}  # geometric
    assert mean[DEAD] == {2: 0.0, 8: pytest.approx(0.6)}
    assert set(mean) == {SCORE, GAIN, DEAD}


def test_only_finished_runs_count_and_the_diverged_ones_are_told(tmp_path):
    write(tmp_path, blocks=2, scores=[0.8])
    write(tmp_path, blocks=8, scores=[0.5])
    write_run(tmp_path, blocks=8, seed=1, state="diverged", metrics={"test/acc_at_best": 0.1})
    write_run(tmp_path, blocks=8, seed=2, state="running", metrics={"test/acc_at_best": 0.1})
    average_study(tmp_path, study_runs(tmp_path))
    mean = points(tmp_path, "activation=relu")
    assert mean[SCORE] == {2: pytest.approx(0.8), 8: pytest.approx(0.5)}
    assert mean["by depth/diverged runs"] == {2: 0.0, 8: 1.0}
    read = EventAccumulator(str(tmp_path / "summary" / "activation=relu" / "mean")).Reload()
    described = read.SummaryMetadata(SCORE).summary_description
    assert described.startswith(
        "Test accuracy at the best epoch: mean over the finished runs at each depth; the step is"
    )
    assert described.endswith("Diverged, and in no mean: 1 of 3 at 8 blocks.")


def test_a_gradient_of_zero_which_has_no_logarithm_is_left_out(tmp_path):
    write(tmp_path, blocks=2, scores=[0.8, 0.8], gains=[0.5, 0.0])
    write(tmp_path, blocks=8, scores=[0.5, 0.5], gains=[0.0, 0.0])
    average_study(tmp_path, study_runs(tmp_path))
    assert points(tmp_path, "activation=relu")[GAIN] == {2: pytest.approx(0.5)}


def test_each_variant_and_each_parameter_of_an_activation_has_its_own(tmp_path):
    for blocks in (1, 4):
        write(tmp_path, blocks=blocks, scores=[0.9])
        write(tmp_path, blocks=blocks, scores=[0.6], axes={"model.norm": "none"})
        write(tmp_path, "leaky_relu", blocks=blocks, scores=[0.7], axes={"activation.negative_slope": 0.2})
    average_study(tmp_path, study_runs(tmp_path))
    names = {folder.name for folder in (tmp_path / "summary").iterdir()}
    assert names == {
        "activation=relu",
        "activation=relu,model.norm=none",
        "activation=leaky_relu,activation.negative_slope=0.2",
    }
    without = points(tmp_path, "activation=relu,model.norm=none")
    assert without == {"by depth/without normalisation: test accuracy": {1: pytest.approx(0.6), 4: pytest.approx(0.6)}}
    assert set(points(tmp_path, "activation=relu")) == {SCORE}


def test_a_study_of_one_depth_or_none_has_no_summary_and_a_former_one_goes_away(tmp_path):
    write(tmp_path, blocks=4, scores=[0.9])
    write(tmp_path, "tanh", blocks=8, scores=[0.9])
    average_study(tmp_path, study_runs(tmp_path))
    assert {folder.name for folder in (tmp_path / "summary").iterdir()} == {"activation=relu", "activation=tanh"}
    average_study(tmp_path, [record for record in study_runs(tmp_path) if record["blocks"] == 4])
    assert not (tmp_path / "summary").exists()
    write(tmp_path / "fixed", blocks=None, scores=[0.9])
    average_study(tmp_path / "fixed", study_runs(tmp_path / "fixed"))
    assert not (tmp_path / "fixed" / "summary").exists()


def test_readers_of_studies_pass_by_the_averages(tmp_path):
    for blocks in (1, 4):
        write(tmp_path, blocks=blocks, scores=[0.8, 0.9])
    before = study_runs(tmp_path)
    average_study(tmp_path, before)
    assert study_runs(tmp_path) == before
    assert {state_in(tmp_path, record) for record in before} == {"finished"}
