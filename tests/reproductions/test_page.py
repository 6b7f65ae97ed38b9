"""The page: what is read off the tables, what is missing, and that the committed page matches its tables."""

import math
import re

import pandas as pd
import pytest
import torch
from forged_runs import write_mnist_sgd, write_run

from gradflow.models.conv import ConvStack
from gradflow.reproductions.__main__ import DOCS, main
from gradflow.reproductions.collect import collect
from gradflow.reproductions.evidence import cancelled_biases, evidence
from gradflow.reproductions.page import page_text
from gradflow.reproductions.published import Claim
from gradflow.reproductions.stored import Tables, read, write


@pytest.fixture
def kept(tmp_path):
    """`kept(accuracies)`: a folder with the tables of a study mnist_sgd."""

    def make(accuracies, **more):
        study = tmp_path / "outputs" / "mnist_sgd"
        write_mnist_sgd(study, accuracies, **more)
        write(tmp_path / "kept" / "mnist_sgd", collect(study))
        return tmp_path / "kept"

    return make


def claim(**fields):
    return Claim(**{"text": "", "activation": "relu", "metric": "test/acc", "rule": "within", **fields})


def section(page, title):
    return page.split(f"\n## {title}")[1].split("\n## ")[0]


def test_the_committed_page_is_what_the_committed_tables_give():
    assert page_text(DOCS / "reproductions") == (DOCS / "reproductions.md").read_text()


def test_published_and_measured_are_side_by_side(kept):
    page = page_text(kept({"relu": [0.97, 0.975, 0.98], "sigmoid": [0.95, 0.951, 0.952]}))
    # 0.975 ± 4.303 * 0.005 / sqrt(3) = 0.0124
    assert "| ReLU, test accuracy after 15 epochs | 0.97 to 0.98 | 0.975 \\[0.963, 0.987\\] | 3 | held |" in page
    assert re.search(r"\| sigmoid, test accuracy [^|]* \| 0.92 to 0.94 \| 0.951 [^|]* \| 3 \| not held \|", page)
    assert re.search(r"\| tanh, test accuracy [^|]* \| 0.96 to 0.97 \| \N{EN DASH} \| 0 \| not run \|", page)


def test_a_claim_that_does_not_hold_has_its_evidence(kept):
    page = page_text(kept({"sigmoid": [0.98, 0.98], "relu": [0.60, 0.60]}))
    mnist = section(page, "MNIST, one hidden layer, SGD")
    # The curve is accuracy * (5 + 10 k / 14) / 15 in epoch k + 1: 0.98 of it passes 0.94 at k = 13.2, so in epoch 15.
    assert "the mean validation accuracy passes 0.94 in epoch 15 of 15, at 0.980, and ends at 0.980." in mnist
    # Five epochs back it was 0.6 (5 + 90 / 14) / 15 = 0.4571.
    assert (
        "does not reach 0.97 in 15 epochs; it ends at 0.600, having changed by +0.1429 over the last 5 epochs." in mnist
    )


def test_what_is_undecided_shows_its_seeds(kept):
    page = page_text(kept({"sigmoid": [0.90, 0.91, 0.92]}))  # 0.910 ± 0.025
    assert "- sigmoid, test accuracy after 15 epochs: the seeds give 0.900, 0.910, 0.920; the mean validation" in page


def test_missing_runs_and_studies_are_listed(kept):
    page = page_text(kept({"relu": [0.97, 0.98]}))
    mnist = section(page, "MNIST, one hidden layer, SGD")
    assert "Of 39 published values and orderings: 1 held, 1 not held, 37 not run." in page
    assert "- relu, seed 2: not run" in mnist
    assert "- tanh, seeds 0, 1, 2: not run" in mnist
    assert "2 of 9 runs finished" in mnist
    assert "**Not run**: `python train.py experiment=cifar10_depth`" in section(page, "CIFAR-10, ReLU against sigmoid")


def test_depths_have_their_own_rows_and_a_change(tmp_path):
    study = tmp_path / "cifar10_depth"
    for blocks, accuracies in {1: (0.55, 0.56), 8: (0.80, 0.81)}.items():
        for seed, accuracy in enumerate(accuracies):
            metrics = {"test/acc_at_best": accuracy, "grad_abs_mean_all_steps": 0.0064}
            curve = {2: accuracy / 2, 4: accuracy}
            write_run(study, blocks=blocks, seed=seed, metrics=metrics, curves={"val/acc": curve, "train/acc": curve})
    write(tmp_path / "kept" / "cifar10_depth", collect(study))
    depth = section(page_text(tmp_path / "kept"), "CIFAR-10, ReLU against sigmoid by depth")
    assert "| ReLU, best test accuracy, 1 block | 0.5499 | 0.5550 \\[0.4915, 0.6185\\] | 2 | held |" in depth
    assert "| ReLU, best test accuracy, 2 blocks | 0.6611 | \N{EN DASH} | 0 | not run |" in depth
    assert "| ReLU, change from 1 to 8 blocks | 0.2508 | 0.2500 \\[0.2500, 0.2500\\] | 2 | held |" in depth
    # 0.0064 is 0.516 of 0.0124; 8 of the 10 tensors are not among the biases: 0.0064 / 0.8 is 0.645 of it.
    gradient = "mean absolute gradient of all steps, 1 block: 0.52 times the published value"
    assert re.search(rf"- ReLU, {gradient}.* the mean would be 0.0080, 0.65 times the published value", depth)
    assert "4 of 30 runs finished" in depth
    assert "- relu at 1 block, seed 2: not run" in depth
    assert "- sigmoid at 8 blocks, seeds 0, 1, 2: not run" in depth


def test_another_data_set_is_named(kept):
    page = page_text(kept({"relu": [0.97]}, axes={"data": "npz", "data.path": "/secret/copy_JPEG.npz"}))
    assert "Different from the preset: data=npz, data.path=copy_JPEG.npz." in page
    assert "went through JPEG compression" in page
    assert "/secret" not in page
    assert "JPEG compression" not in page_text(kept({"tanh": [0.97] * 3}))  # more runs, of the preset's own data


def test_biases_before_a_normalisation_are_counted_as_in_the_network():
    for blocks in (1, 8):
        stack = ConvStack((3, 32, 32), 10, torch.nn.ReLU, blocks=blocks, width=4)
        tensors = list(stack.named_parameters())
        biases = [name for name, _ in tensors if name.endswith("affine.bias")]
        assert cancelled_biases(blocks) == (len(biases), len(tensors))


def test_what_cancelled_biases_do_to_a_mean():
    text = evidence(claim(rule="near", why="tensors", blocks=1, published=0.01, relative=True), None, [0.004, 0.004])
    assert "0.40 times the published value. 2 of the 10 trainable tensors" in text
    assert "the mean would be 0.0050, 0.50 times the published value" in text


def test_another_curve_may_have_what_was_published():
    epochs = pd.DataFrame({"activation": "tanh", "blocks": None, "seed": 0, "epoch": [1, 2], "val/acc": [0.9, 0.963]})
    tables = Tables({}, pd.DataFrame(), epochs)
    ranged = claim(activation="tanh", published=(0.96, 0.97), curve="val/acc")
    text = evidence(ranged, tables, [0.945, 0.955])  # 0.963 - 0.950
    apart = "1.3 points above the test accuracy"
    assert text == f"the mean validation accuracy ends at 0.963, inside the published range and {apart}."


def test_how_far_a_score_swings_is_shown_for_single_runs():
    rows = [(0, [0.2, 0.5, 0.3], 0.7), (1, [0.3, 0.3, 0.4], 0.5)]  # the mean falls by 5 points, seed 0 by 20
    epochs = pd.DataFrame(
        {
            "activation": "relu",
            "blocks": 8,
            "seed": seed,
            "epoch": e + 1,
            "val/acc": val[e],
            "train/acc": end - 0.2 + e / 10,
        }
        for seed, val, end in rows
        for e in range(3)
    )
    near = claim(rule="near", blocks=8, published=0.6, decimals=4, tolerance=0.01, curve="val/acc")
    shared = {"activation": "relu", "blocks": 8, "state": "finished"}
    runs = pd.DataFrame({**shared, "seed": seed, "test/acc": value} for seed, value in [(0, 0.3), (1, 0.4)])
    text = evidence(near, Tables({}, runs, epochs), [0.5, 0.4])
    assert text.startswith("the mean validation accuracy does not reach 0.6 in 3 epochs; it ends at 0.3500")
    assert text.endswith(
        " In single runs it falls by up to 20.0 points from one epoch to the next; "
        "the training accuracy ends at 0.6000."
    )
    steady = epochs[epochs["seed"] == 1]
    assert "falls" not in evidence(near, Tables({}, runs, steady), [0.4])
    runs["test/acc_recomputed_bn"] = [math.nan, 0.8]  # seed 0 was trained before it was measured
    text = evidence(near, Tables({}, runs, epochs), [0.5, 0.4])
    assert text.endswith(
        " The network of the last epoch (seed 1) has a test accuracy of 0.4000 by the running averages of batch "
        "normalisation and of 0.8000 with statistics recomputed for its final weights."
    )


def test_a_change_with_depth_is_compared_with_that_of_training():
    runs = pd.DataFrame(
        {"activation": "relu", "blocks": blocks, "seed": seed, "state": "finished", "train/acc": value}
        for blocks, seed, value in [(1, 0, 0.40), (1, 1, 0.50), (8, 0, 0.60), (8, 2, 0.99)]
    )
    change = claim(rule="near", blocks=8, from_blocks=1, published=0.1)
    text = evidence(change, Tables({}, runs, pd.DataFrame()), [0.1])  # only seed 0 has both
    training = "the training accuracy (seed 0) changes by +0.2000, from 0.4000 to 0.6000"
    assert text == f"{training}."
    runs["test/acc_recomputed_bn"] = [0.4, 0.9, 0.55, 0.9]
    text = evidence(change, Tables({}, runs, pd.DataFrame()), [0.1])
    precise = "the test accuracy with recomputed statistics (seed 0) changes by +0.1500, from 0.4000 to 0.5500"
    assert text == f"{training}; {precise}."


def test_the_slope_of_a_layer():
    text = evidence(claim(activation="relu", rule="factor", published=1.0), None, [1 / 64])
    assert text == "that is a factor of 0.50 per layer, where the published value implies 1.00."
    text = evidence(claim(activation="tanh", rule="factor", published=0.5**6), None, [1.0])
    # 1 - tanh(z)² = 0.5 at z = 0.8814
    assert "±0.88" in text


def test_the_command_keeps_studies_and_writes_the_page(tmp_path, capsys):
    write_mnist_sgd(tmp_path / "outputs" / "mnist_sgd", {"relu": [0.97, 0.98]})
    (tmp_path / "docs").mkdir()
    assert main([str(tmp_path / "outputs"), "--docs", str(tmp_path / "docs")]) == 0
    page = (tmp_path / "docs" / "reproductions.md").read_text()
    assert "0.975" in page
    assert "tanh, 1 % of the signal" in page
    files = {str(file.relative_to(tmp_path / "docs/reproductions")) for file in (tmp_path / "docs").rglob("*.csv")}
    assert files == {f"{s}/{t}.csv" for s in ("mnist_sgd", "six_layers") for t in ("study", "runs", "epochs")}
    assert main(["--docs", str(tmp_path / "docs")]) == 0  # without studies: the same page from what is kept
    assert (tmp_path / "docs" / "reproductions.md").read_text() == page


def test_wrong_input_is_one_line(tmp_path, capsys):
    assert main([str(tmp_path / "nowhere"), "--docs", str(tmp_path)]) == 2
    assert main(["--docs", str(tmp_path / "nowhere")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("gradflow: ") and "no such folder; name the one" in line for line in lines)


@pytest.mark.parametrize(("study", "metric"), [("mnist_sgd", "test/acc"), ("mnist_adam", "train/acc")])
def test_the_table_of_presets_has_the_means_of_the_tables(study, metric):
    tables = read(DOCS / "reproductions" / study)
    row = re.search(rf"^\| `{study}` \|.*$", (DOCS / "presets.md").read_text(), re.MULTILINE)[0]
    measured = row.split("|")[4]
    means = tables.finished.groupby("activation")[metric].mean()
    assert {name.lower(): value for name, value in re.findall(r"(\w+) (0\.\d{3})", measured)} == {
        activation: f"{mean:.3f}" for activation, mean in means.items()
    }


def test_the_table_of_presets_has_the_peak_of_lenet5():
    runs = read(DOCS / "reproductions" / "cifar10_lenet5").finished
    relu = runs[runs["activation"] == "relu"]
    epochs = ", ".join(f"{epoch:g}" for epoch in sorted(relu["best_epoch"]))
    assert f"peaks at {relu['val/acc_best'].mean():.3f} in epochs {epochs}" in (DOCS / "presets.md").read_text()


def test_the_table_of_presets_has_the_scores_by_depth():
    runs = read(DOCS / "reproductions" / "cifar10_depth").finished
    row = re.search(r"^\| `cifar10_depth` \|.*$", (DOCS / "presets.md").read_text(), re.MULTILINE)[0]
    for name, activation in (("ReLU", "relu"), ("sigmoid", "sigmoid")):
        by_depth = runs[runs["activation"] == activation].groupby("blocks")
        by_averages, recomputed = row.split("|")[4].split("recomputed batch norm, 1, 4, 6, 8 blocks")
        for tag, said in (("test/acc_at_best", by_averages), ("test/acc_recomputed_bn", recomputed)):
            scores = by_depth[tag].mean().dropna()
            assert f"{name} {', '.join(f'{score:.3f}' for score in scores)}" in said
            assert list(scores.index) == ([1, 4, 6, 8] if said is recomputed else [1, 2, 4, 6, 8])
