"""Intervals for new images and new seeds in the report, from what runs have kept."""

import re

import numpy as np
from forged_runs import HEADLINE, write_run

from gradflow.report import new_images, tables
from gradflow.report.frames import study_frames
from gradflow.runs import folders
from gradflow.runs.metrics import NO_NUMBER
from gradflow.runs.samples import samples_of, write_samples
from gradflow.study.bootstrap import Answers, new_images_and_seeds
from gradflow.study.comparison.compare import compare
from gradflow.study.comparison.tuning import tune
from gradflow.study.records import study_runs

IMAGES = 40


def write_tested(study, activation, right, *, first_row=0, **more):
    """Finished runs of seeds 0, 1, ...; `right` has a row of answers for each."""
    for seed, answers in enumerate(np.asarray(right)):
        metrics = {HEADLINE: float(answers.mean())}
        run = write_run(study, activation=activation, seed=seed, metrics=metrics, **more)
        parts = {"train": np.arange(0), "validation": np.arange(0), "test": first_row + np.arange(len(answers))}
        write_samples(run, samples_of(100, **parts, answers={HEADLINE: answers.astype(int)}))


def drawn(share, seeds=3, images=IMAGES, seed=0):
    return np.random.default_rng(seed).random((seeds, images)) < share


def answered(right, first_row=0):
    return [Answers(first_row + np.arange(len(row)), row.astype(float)) for row in right]


def differences(study, records=None, **more):
    records = records or study_runs(study)
    frames = study_frames(study, study_runs(study))
    answers = new_images.answers_of(study, study_runs(study), HEADLINE)
    return new_images.differences_table(compare(records, **more), answers, frames.table)


def test_the_headline_has_a_column(tmp_path):
    right = drawn(0.7)
    write_tested(tmp_path, "relu", right)
    write_run(tmp_path, activation="tanh", metrics={HEADLINE: 0.5})  # an older run, without its answers
    records = study_runs(tmp_path)
    frames = study_frames(tmp_path, records)
    answers = new_images.answers_of(tmp_path, records, HEADLINE)
    found = new_images.intervals(answers, records, frames.table[HEADLINE])
    expected = new_images_and_seeds(answered(right), within=(0.0, 1.0))
    assert found == {"activation=relu,blocks=2": expected}
    table = tables.headline_table(frames, records, new_images=found)
    assert table.headers[-2] == "95 % for new images and new seeds"
    assert [row[-2] for row in table.rows] == [f"{100 * expected.low:.2f}, {100 * expected.high:.2f}", NO_NUMBER]
    assert len(tables.headline_table(frames, records).headers) == len(table.headers) - 1


def test_differences_are_paired_by_seed_and_image(tmp_path):
    """An activation that errs on three further images for every seed: a difference without spread over the seeds."""
    right = drawn(0.7)
    worse = right.copy()
    for row in worse:
        row[np.flatnonzero(row)[:3]] = False
    write_tested(tmp_path, "relu", right)
    write_tested(tmp_path, "sigmoid", worse)
    (row,) = differences(tmp_path).rows
    expected = new_images_and_seeds(answered(worse.astype(float) - right))
    assert row[:4] == ["sigmoid", "2 blocks", "3", "-7.50"]
    assert row[4] == "-7.50, -7.50"
    assert row[5] == f"{100 * expected.low:+.2f}, {100 * expected.high:+.2f}"


def test_each_comparison_finds_its_own_runs(tmp_path):
    """Further axes, one of them constant, and an activation with a parameter."""
    for blocks, share in ((1, 0.5), (4, 0.8)):
        for lr in (0.1, 0.2):
            axes = {"optimizer.lr": lr, "width": 8}
            write_tested(tmp_path, "relu", drawn(share, seed=blocks), blocks=blocks, axes=axes)
            slope = axes | {"activation.negative_slope": 0.3}
            write_tested(tmp_path, "leaky_relu", drawn(share, seed=round(10 * lr) + blocks), blocks=blocks, axes=slope)
    found = differences(tmp_path)
    assert len(found.rows) == 4
    for row in found.rows:
        blocks, lr = (float(re.search(r"[\d.]+", part)[0]) for part in row[1].split(", "))
        share = {1: 0.5, 4: 0.8}[int(blocks)]
        pairs = drawn(share, seed=round(10 * lr) + int(blocks)).astype(float) - drawn(share, seed=int(blocks))
        expected = new_images_and_seeds(answered(pairs), within=(-1.0, 1.0))
        assert row[5] == f"{100 * expected.low:+.2f}, {100 * expected.high:+.2f}"


def test_after_tuning_the_tested_runs_are_compared(tmp_path):
    for lr, best in ((0.1, 0.9), (0.2, 0.1)):
        for activation, share in (("relu", 0.8), ("tanh", 0.6)):
            right = drawn(share, seeds=4, seed=int(100 * lr * share))
            write_tested(tmp_path, activation, right, axes={"optimizer.lr": lr})
            for seed in range(4):
                config = f"activation={activation},blocks=2,optimizer.lr={lr}"
                run = folders.run_folder(tmp_path.parent, tmp_path.name, config, seed) / folders.RUN_FILE
                run.write_text(run.read_text().replace('"metrics": {', f'"metrics": {{"val/acc_best": {best},'))
    tuning = tune(study_runs(tmp_path), tuning_seeds=[0, 1])
    (row,) = differences(tmp_path, tuning.records, tuning=None).rows
    pairs = drawn(0.6, seeds=4, seed=6).astype(float) - drawn(0.8, seeds=4, seed=8)
    expected = new_images_and_seeds(answered(pairs[2:]))
    assert row[2] == "2"
    assert row[5] == f"{100 * expected.low:+.2f}, {100 * expected.high:+.2f}"


def test_without_answers_there_is_no_table(tmp_path):
    for activation in ("relu", "tanh"):
        for seed in range(2):
            write_run(tmp_path, activation=activation, seed=seed, metrics={HEADLINE: 0.1 * seed})
    assert differences(tmp_path).rows == []
    assert new_images.answers_of(tmp_path, study_runs(tmp_path), "test/loss") == {}


def test_a_damaged_file_is_left_out_with_a_warning(tmp_path, caplog):
    write_tested(tmp_path, "relu", drawn(0.5))
    file = tmp_path / "activation=relu,blocks=2" / "seed=1" / folders.SAMPLES_FILE
    file.write_bytes(b"torn")
    assert set(new_images.answers_of(tmp_path, study_runs(tmp_path), HEADLINE)) == {
        ("activation=relu,blocks=2", 0),
        ("activation=relu,blocks=2", 2),
    }
    assert "left out" in caplog.text
    frames = study_frames(tmp_path, study_runs(tmp_path))
    answers = new_images.answers_of(tmp_path, study_runs(tmp_path), HEADLINE)
    assert new_images.intervals(answers, study_runs(tmp_path), frames.table[HEADLINE]) == {}
