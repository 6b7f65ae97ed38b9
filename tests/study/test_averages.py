"""The averages over the seeds that TensorBoard shows, against sums by hand."""

import math
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from forged_runs import write_run
from scipy import stats
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from gradflow.runs.events import curves
from gradflow.study.averages import average_study
from gradflow.study.records import study_runs


def averaged(study, kind="mean"):
    folders = average_study(study, study_runs(study))
    return {folder.parent.name: curves(folder.with_name(kind)) for folder in folders}


def at(curve, step):
    return float(curve.values[curve.steps.tolist().index(step)])


def test_mean_and_t_interval_of_every_step(tmp_path):
    for seed, values in enumerate([[1.0, 4.0], [2.0, 6.0], [6.0, 5.0]]):
        write_run(tmp_path / "s", seed=seed, curves={"my/quantity": values})
    mean, lower, upper, seeds = (
        averages for kind in ("mean", "lower", "upper", "seeds") for averages in averaged(tmp_path / "s", kind).values()
    )
    assert mean["my/quantity"].values.tolist() == [3.0, 5.0]
    half = stats.t.ppf(0.975, 2) * math.sqrt(7.0) / math.sqrt(3)  # 1, 2, 6: variance (4 + 1 + 9) / 2
    assert at(lower["my/quantity"], 0) == pytest.approx(3 - half, rel=1e-6)
    assert at(upper["my/quantity"], 0) == pytest.approx(3 + half, rel=1e-6)
    assert not seeds  # all have a value at every step


def test_a_filter_for_a_tag_finds_it_once_in_the_mean(tmp_path):
    for seed in range(3):
        write_run(tmp_path / "s", seed=seed, curves={"val/acc": [0.1 * seed], "grad_norm/total": [1.0]})
    for kind in ("mean", "lower", "upper"):
        (found,) = averaged(tmp_path / "s", kind).values()
        assert sorted(found) == ["grad_norm/total", "val/acc"]


def test_bounds_of_fractions_are_fractions(tmp_path):
    for seed, (dead, accuracy) in enumerate([(0.0, 1.0), (0.1, 0.9)]):
        write_run(tmp_path / "s", seed=seed, curves={"dead_units/total": [dead], "val/acc": [accuracy]})
    (lower,) = averaged(tmp_path / "s", "lower").values()
    (upper,) = averaged(tmp_path / "s", "upper").values()
    half = float(stats.t.ppf(0.975, 1)) * 0.05  # 0.635
    assert at(lower["dead_units/total"], 0) == 0.0
    assert at(upper["dead_units/total"], 0) == pytest.approx(0.05 + half)
    assert at(lower["val/acc"], 0) == pytest.approx(0.95 - half)
    assert at(upper["val/acc"], 0) == 1.0


def test_gradient_magnitudes_are_averaged_as_powers_of_ten(tmp_path):
    for seed, value in enumerate([1e-6, 1e-2, 1e-4]):
        write_run(tmp_path / "s", seed=seed, curves={"grad_rms/00_stem": [value], "my/quantity": [seed]})
    (mean,) = averaged(tmp_path / "s").values()
    (lower,) = averaged(tmp_path / "s", "lower").values()
    assert at(mean["grad_rms/00_stem"], 0) == pytest.approx(1e-4, rel=1e-5)
    half = stats.t.ppf(0.975, 2) * 2 / math.sqrt(3)  # decades
    assert at(lower["grad_rms/00_stem"], 0) == pytest.approx(10 ** (-4 - half), rel=1e-4)
    assert at(mean["my/quantity"], 0) == 1.0


def test_unequal_lengths_and_missing_seeds_are_shown_by_n(tmp_path):
    write_run(tmp_path / "s", seed=0, curves={"val/acc": [0.0, 1.0, 2.0]})
    write_run(tmp_path / "s", seed=1, curves={"val/acc": {0: 2.0, 2: 4.0}})
    write_run(tmp_path / "s", seed=2, state="running", curves={"val/acc": [100.0]})
    write_run(tmp_path / "s", seed=3, state="diverged", curves={"val/acc": [100.0]})
    mean, lower, seeds = (
        averages["val/acc"]
        for kind in ("mean", "lower", "seeds")
        for averages in averaged(tmp_path / "s", kind).values()
    )
    assert mean.values.tolist() == [1.0, 1.0, 3.0]
    assert (seeds.steps.tolist(), seeds.values.tolist()) == ([1], [1.0])
    assert lower.steps.tolist() == [0, 2]  # one seed has no interval


def test_averages_that_are_no_more_go_away(tmp_path):
    study = tmp_path / "s"
    for seed in range(2):
        write_run(study, seed=seed, curves={"val/acc": [0.1 * seed]})
    averaged(study)
    config = study / "activation=relu,blocks=2"
    assert {one.name for one in config.iterdir() if "seed=" not in one.name} == {"mean", "lower", "upper", "bands"}
    shutil.rmtree(config / "seed=1")
    averaged(study)
    assert {one.name for one in config.iterdir() if "seed=" not in one.name} == {"mean"}
    assert not list((study / "summary").glob("events*"))


def test_only_stale_averages_are_made_anew(tmp_path):
    study = tmp_path / "s"
    for activation, value in (("relu", 1.0), ("sigmoid", 3.0)):
        write_run(study, activation=activation, curves={"val/acc": [value]})

    def files():
        means = average_study(study, study_runs(study), stale_only=True)
        return {mean.parent.name.split(",")[0]: [file.name for file in mean.iterdir()] for mean in means}

    first = files()
    assert files() == first
    write_run(study, activation="relu", seed=1, curves={"val/acc": [2.0]})
    later = files()
    assert later["activation=relu"] != first["activation=relu"]
    assert later["activation=sigmoid"] == first["activation=sigmoid"]
    assert float(curves(study / "activation=relu,blocks=2" / "mean")["val/acc"].values[0]) == 1.5


def test_configurations_are_averaged_apart_and_again_without_leftovers(tmp_path):
    study = tmp_path / "s"
    write_run(study, activation="relu", curves={"val/acc": [1.0]})
    write_run(study, activation="sigmoid", curves={"val/acc": [3.0]})
    averaged(study)
    write_run(study, activation="relu", seed=1, curves={"val/acc": [2.0]})
    means = averaged(study)
    assert {name: float(mean["val/acc"].values[0]) for name, mean in means.items()} == {
        "activation=relu,blocks=2": 1.5,
        "activation=sigmoid,blocks=2": 3.0,
    }
    assert len(list((study / "activation=relu,blocks=2" / "mean").iterdir())) == 1
    assert not list(study.glob("*/.mean*"))


def test_many_at_once_leave_one_whole_set_of_averages(tmp_path):
    study = tmp_path / "s"
    for seed in range(3):
        for activation in ("relu", "sigmoid"):
            write_run(study, activation=activation, seed=seed, curves={"val/acc": [seed, seed + 1.0]})
    records = study_runs(study)
    with ThreadPoolExecutor(12) as pool:
        written = list(pool.map(lambda _: average_study(study, records), range(36)))
    assert len(written) == 36
    for folder in written[0]:
        assert len(list(folder.iterdir())) == 1
        mean = curves(folder)
        assert mean["val/acc"].steps.tolist() == [0, 1]
        assert mean["val/acc"].values.tolist() == [1.0, 2.0]
    assert not list(study.glob("*/.mean*"))


def test_what_a_killed_writer_has_left_is_cleared_away(tmp_path):
    write_run(tmp_path / "s", curves={"val/acc": [1.0]})
    left = tmp_path / "s" / "activation=relu,blocks=2" / ".mean.new"
    left.mkdir()
    (left / "events.out.tfevents.1.host.1.0").write_bytes(b"half a record")
    (mean,) = averaged(tmp_path / "s").values()
    assert mean["val/acc"].values.tolist() == [1.0]
    assert not left.exists()


def test_averages_of_somebody_elses_study_go_into_a_folder_of_ones_own(tmp_path):
    study, own = tmp_path / "s", tmp_path / "own" / "place"
    write_run(study, curves={"val/acc": [1.0]})
    before = sorted(study.rglob("*"))
    (folder,) = average_study(study, study_runs(study), output=own)
    assert folder == own / "activation=relu,blocks=2" / "mean"
    assert curves(folder)["val/acc"].values.tolist() == [1.0]
    assert sorted(study.rglob("*")) == before


def test_a_gradient_of_zero_counts_as_missing(tmp_path):
    for seed, value in enumerate([0.0, 1e-2, 1e-4]):
        write_run(tmp_path / "s", seed=seed, curves={"grad_norm/total": [value]})
    mean, seeds, lower = (
        averages["grad_norm/total"]
        for kind in ("mean", "seeds", "lower")
        for averages in averaged(tmp_path / "s", kind).values()
    )
    assert at(mean, 0) == pytest.approx(1e-3, rel=1e-6)
    assert at(seeds, 0) == 2
    assert np.isfinite(lower.values).all()


def test_tensorboard_says_what_the_bounds_cover(tmp_path):
    for seed in (0, 1):
        write_run(tmp_path, seed=seed, curves={"val/acc": [0.5, 0.6 + 0.1 * seed]})
    write_run(tmp_path, seed=0, blocks=8, curves={"val/acc": [0.5, 0.6]})
    several, one = average_study(tmp_path, study_runs(tmp_path))
    sentence = "Mean over 2 seeds. The 95 % intervals cover training's randomness, with one split and one test set."
    for kind in ("mean", "lower", "upper"):
        read = EventAccumulator(str(several.with_name(kind))).Reload()
        assert read.SummaryMetadata("val/acc").summary_description == sentence
    assert "val/acc" not in EventAccumulator(str(one)).Reload().summary_metadata
