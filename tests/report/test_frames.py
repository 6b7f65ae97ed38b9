"""Numbers of the frames, worked out by hand."""

import pytest
from forged_runs import typical, write_run

from gradflow.report.frames import AFTER, BEFORE, MOST_POINTS, study_frames
from gradflow.study.records import study_runs

HALF_OF_TWO = 12.706204736  # quantile of Student's t with one degree of freedom: sd / sqrt(2) is half the difference


@pytest.fixture
def study(tmp_path):
    return tmp_path / "made_up"


def frames_of(study):
    return study_frames(study, study_runs(study))


def test_seeds_are_averaged_epoch_by_epoch(study):
    write_run(study, seed=0, curves={"val/acc": {10: 0.5, 20: 0.7}}, metrics={"val/acc": 0.7, "test/acc_at_best": 0.7})
    write_run(study, seed=1, curves={"val/acc": {10: 0.7, 20: 0.9}}, metrics={"val/acc": 0.9, "test/acc_at_best": 0.9})
    learning = frames_of(study).learning
    assert learning["epoch"].tolist() == [1, 2]
    assert learning["n"].tolist() == [2, 2]
    assert learning["mean"].tolist() == pytest.approx([0.6, 0.8])
    assert learning["high"].tolist() == [1.0, 1.0]  # 0.6 and 0.8 + 0.1 * 12.7, but there is no accuracy above 1


def test_learning_curves_have_t_intervals(study):
    for seed, losses in enumerate([{10: 50.0, 20: 30.0}, {10: 50.2, 20: 30.2}]):
        write_run(study, seed=seed, curves={"train/loss": losses}, metrics={"test/acc_at_best": 0.7})
    learning = frames_of(study).learning
    assert learning["high"].tolist() == pytest.approx([50.1 + 0.1 * HALF_OF_TWO, 30.1 + 0.1 * HALF_OF_TWO], rel=1e-6)


def test_final_metrics_have_every_seed(study):
    write_run(study, seed=3, metrics={"test/acc_at_best": 0.7})
    write_run(study, seed=5, metrics={"test/acc_at_best": 0.9})
    frames = frames_of(study)
    (row,) = frames.final.to_dict("records")
    assert (row["n"], row["mean"], row["seeds"]) == (2, pytest.approx(0.8), "3, 5")
    assert row["sd"] == pytest.approx(0.02**0.5)
    assert frames.seeds[["seed", "value"]].to_numpy().tolist() == [[3, 0.7], [5, 0.9]]


def test_gradients_by_layer_are_averaged_as_logarithms(study):
    for seed, (first, last) in enumerate([(1e-2, 1e-3), (1e-4, 1e-7)]):
        write_run(
            study,
            seed=seed,
            curves={"grad_rms/00_stem": [first, 1.0], "grad_rms/01_head": [first, 1.0]},
            metrics={"test/acc_at_best": 0.5, "grad_rms/00_stem": last, "grad_rms/01_head": last},
        )
    layers = frames_of(study).layers
    assert layers["moment"].tolist() == [BEFORE, BEFORE, AFTER, AFTER]
    assert layers["index"].tolist() == [0, 1, 0, 1]
    assert layers["mean"].tolist() == pytest.approx([1e-3, 1e-3, 1e-5, 1e-5])


def test_a_gradient_of_zero_counts_as_missing(study):
    write_run(study, seed=0, curves={"grad_norm/total": [0.0, 1.0]}, metrics={"grad_norm/total": 0.0})
    write_run(study, seed=1, curves={"grad_norm/total": [4.0, 1.0]}, metrics={"grad_norm/total": 2.0})
    frames = frames_of(study)
    assert frames.training["n"].tolist() == [1, 2]
    assert frames.training["mean"].tolist() == pytest.approx([4.0, 1.0])
    assert frames.final[["n", "mean"]].to_numpy().tolist() == [[1, 2.0]]


def test_gradient_norm_is_thinned_to_means_of_logarithms(study):
    write_run(study, curves={"grad_norm/total": [1.0, 100.0] * MOST_POINTS}, metrics={"test/acc_at_best": 0.5})
    frames = frames_of(study)
    assert frames.stretch == 2
    assert len(frames.training) == MOST_POINTS
    assert frames.training["update"].tolist() == list(range(0, 2 * MOST_POINTS, 2))
    assert frames.training["mean"].tolist() == pytest.approx([10.0] * MOST_POINTS)
    assert frames.training["p5"].tolist() == pytest.approx([5.95] * MOST_POINTS)  # 5 % of the way from 1 to 100


def test_losses_of_batches_are_thinned_to_means_with_the_spread_of_single_updates(study):
    for seed, (low, high) in enumerate([(1.0, 3.0), (2.0, 8.0)]):  # means of a stretch: 2 and 5
        curves = {"train/loss_step": [low, high] * MOST_POINTS}
        write_run(study, seed=seed, curves=curves, metrics={"test/acc_at_best": 0.5})
    training = frames_of(study).training
    assert set(training["metric"]) == {"train/loss_step"}
    assert len(training) == MOST_POINTS
    columns = ["n", "mean", "low", "high", "p5", "p95"]
    half = 1.5 * HALF_OF_TWO
    # Four values 1, 2, 3, 8: percentile 5 is 0.15 of the way from 1 to 2, percentile 95 0.85 of it from 3 to 8.
    assert training[columns].drop_duplicates().to_numpy().tolist() == [
        pytest.approx([2, 3.5, 0.0, 3.5 + half, 1.15, 7.25])  # and no loss is negative
    ]


def test_units_start_before_training_and_layers_are_in_order_beyond_99(study):
    names = ["99_block", "100_block", "00_stem"]
    write_run(study, curves={f"dead_units/{n}": {0: 0.0, 7: 0.5} for n in [*names, "total"]})
    units = frames_of(study).units
    assert units["layer"].drop_duplicates().tolist() == ["00_stem", "99_block", "100_block"]
    assert units["epoch"].tolist() == [0, 1] * 3
    assert units["mean"].tolist() == [0.0, 0.5] * 3


def test_only_finished_runs_are_averaged(study):
    write_run(study, seed=0, **typical(accuracy=0.8))
    for seed, state in enumerate(("diverged", "failed", "running", "interrupted", "planned"), start=1):
        write_run(study, seed=seed, state=state, **typical(accuracy=0.1))
    final = frames_of(study).final
    assert set(final["n"]) == {1}
    assert final.loc[final["metric"] == "test/acc_at_best", "mean"].tolist() == [0.8]


def test_short_and_missing_event_files_are_left_out(study):
    folder = write_run(study, seed=0, **typical(accuracy=0.1))
    (events,) = folder.glob("events.*")
    events.write_bytes(events.read_bytes()[:-7])
    (file,) = write_run(study, seed=1, **typical(accuracy=0.2)).glob("events.*")
    file.unlink()
    write_run(study, seed=2, **typical(accuracy=0.8))
    frames = frames_of(study)
    assert frames.learning.loc[frames.learning["metric"] == "val/acc", "mean"].tolist() == pytest.approx(
        [0.2, 0.4, 0.6, 0.8]
    )
    # The last epoch's means are in run.json.
    assert frames.layers.groupby("moment")["n"].max().to_dict() == {"before the first update": 1, "last epoch": 3}


def test_variants_are_what_differs_besides_activation_and_depth(study):
    for lr in (0.1, 0.2):
        write_run(study, axes={"optimizer.lr": lr, "data": "npz"}, **typical())
    write_run(study, activation="elu", axes={"activation.alpha": 2, "data": "npz"}, **typical())
    final = frames_of(study).final
    assert final["variant"].drop_duplicates().tolist() == ["", "optimizer.lr=0.1", "optimizer.lr=0.2"]
    assert final["activation"].drop_duplicates().tolist() == ["elu(alpha=2)", "relu"]


@pytest.mark.parametrize(("typed", "first"), [(["model.norm=none"], "model.norm=none"), ([], "")])
def test_a_default_comes_first_and_is_named_where_the_command_spells_it_out(tmp_path, typed, first):
    write_run(tmp_path, axes={"model.norm": "batch"}, overrides=["model.norm=batch"], **typical())
    write_run(tmp_path, overrides=typed, **typical())
    assert frames_of(tmp_path).final["variant"].drop_duplicates().tolist() == [first, "model.norm=batch"]


def test_a_study_without_depths_and_without_runs_that_finished(study):
    write_run(study, blocks=None, state="planned", provenance=None)
    frames = frames_of(study)
    assert frames.final.empty
    assert list(frames.training.columns)[:4] == ["config", "activation", "blocks", "variant"]


def test_runs_of_different_lengths_and_a_short_last_stretch_are_thinned(study):
    steps = 2 * MOST_POINTS
    write_run(study, seed=0, curves={"train/loss_step": [1.0] * (steps + 1)}, metrics={"test/acc_at_best": 0.5})
    write_run(study, seed=1, curves={"train/loss_step": [3.0] * 3}, metrics={"test/acc_at_best": 0.5})
    training = frames_of(study).training  # stretches of three updates, the last of two
    assert training["n"].tolist()[:2] == [2, 1]
    assert training["mean"].tolist() == [2.0, *[1.0] * (len(training) - 1)]
    assert training["p95"].tolist()[1:] == [1.0] * (len(training) - 1)
    assert training["update"].tolist()[-1] == 3 * (len(training) - 1)


def test_a_headline_by_running_averages_has_the_curve_of_its_score(tmp_path):
    run = typical(accuracy=0.9)
    run["metrics"]["test/acc_running_bn"] = 0.95
    write_run(tmp_path, headline="test/acc_running_bn", **run)
    frames = study_frames(tmp_path, study_runs(tmp_path))
    assert (frames.validation, frames.fitted) == ("val/acc", "train/acc")


def test_a_headline_that_is_recorded_at_every_step_has_no_curve_by_epoch(tmp_path):
    run = typical(accuracy=0.9)  # 20 updates in 4 epochs
    run["curves"]["val/loss"] = dict.fromkeys((5, 10, 15, 20), 0.5)
    write_run(tmp_path, headline="grad_norm/total", **run)
    frames = study_frames(tmp_path, study_runs(tmp_path))
    assert frames.validation == "val/loss"
    assert frames.learning["epoch"].max() == 4
