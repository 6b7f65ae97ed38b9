"""Two measurements, each one file outside the package, reach all that shows a metric, without an edit inside it."""

import json
import shlex
import shutil
from pathlib import Path

import effective_rank
import numpy as np
import pandas as pd
import pytest
from docs_examples import Example, python
from finished_runs import records, weights

from gradflow.data.datamodule import ArrayDataModule
from gradflow.data.sources import digits
from gradflow.runs.events import curves

EXAMPLE = Example("your_measurement")
RANK = "+callbacks.rank._target_=effective_rank.EffectiveRank"
SHRUNK = ("model=mlp", "width=8", "trainer=cpu", "trainer.max_epochs=2", "callbacks.pictures=null")
CELLS = [(activation, blocks) for activation in ("sigmoid", "relu") for blocks in (1, 4)]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A copy of the repository in which the page's sweep ran with both monitors, whose files were then deleted."""
    root = EXAMPLE.repository(tmp_path_factory.mktemp("repository"))
    own = root / "effective_rank.py"
    shutil.copy(effective_rank.__file__, own)
    sweep, tools = (shlex.split(command) for command in EXAMPLE.commands)
    closing = python(root, *sweep, *SHRUNK, RANK)
    own.unlink()
    (root / "my_monitors.py").unlink()
    return root, closing, python(root, *tools)


def configurations(root):
    """(activation, blocks) -> the run folders and records of its seeds."""
    found = {}
    for folder, record in records(root).items():
        found.setdefault((record["activation"], record["blocks"]), []).append((folder, record))
    return found


def table(root, metric):
    frame = pd.read_csv(root / "outputs/cosine/report/table.csv")
    return frame[frame["metric"] == metric].set_index(["activation", "blocks"])


def test_the_example_is_one_file():
    assert set(EXAMPLE.files) == {"my_monitors.py"}


def test_run_json_and_curves_have_what_the_monitors_measured(swept):
    root, _, _ = swept
    found = configurations(root)
    assert set(found) == set(CELLS)
    folder, record = found["relu", 4][0]
    written = curves(folder)
    for tag in ("grad_cosine", "effective_rank/01_block", "effective_rank/04_block"):
        assert record["metrics"][tag] == pytest.approx(written[tag].values[-1], rel=1e-6)
    assert len(written["grad_cosine"].steps) == 2  # epochs
    assert [entry["tag"] for entry in record["declared_metrics"]] == ["grad_cosine", "effective_rank/"]


def test_the_effective_rank_is_that_of_the_singular_values(swept):
    root, _, _ = swept
    for activation, function in (("relu", lambda z: np.maximum(z, 0)), ("sigmoid", lambda z: 1 / (1 + np.exp(-z)))):
        folder, record = configurations(root)[activation, 1][0]
        singular = np.linalg.svd(function(preactivations(folder)), compute_uv=False)
        shares = singular / singular.sum()
        expected = np.exp(-(shares * np.log(shares)).sum())
        assert record["metrics"]["effective_rank/01_block"] == pytest.approx(expected, rel=1e-4)


def preactivations(folder: Path) -> np.ndarray:
    """z of the first hidden layer over the validation set after training, shape (samples, units), in float64."""
    state = weights(folder)
    weight, bias = (state[f"network.blocks.0.affine.{kind}"].double().numpy() for kind in ("weight", "bias"))
    data = ArrayDataModule(digits, batch_size=32, test_size=300, validation_size=300)
    return digits().x[data.split.validation].reshape(300, -1) / 16.0 @ weight.T + bias


def test_averages_honour_the_declarations_without_the_classes(swept):
    root, _, _ = swept
    for (activation, blocks), runs in configurations(root).items():
        ranks = np.log10([record["metrics"]["effective_rank/01_block"] for _, record in runs])
        cosines = np.array([record["metrics"]["grad_cosine"] for _, record in runs])
        rank, cosine = (
            table(root, tag).loc[(activation, blocks)] for tag in ("effective_rank/01_block", "grad_cosine")
        )
        assert rank["mean"] == pytest.approx(10 ** ranks.mean(), rel=1e-9)  # geometric
        assert rank["sd"] == pytest.approx(ranks.std(ddof=1), rel=1e-6)  # in decades
        assert rank["low"] >= 1
        assert cosine["mean"] == pytest.approx(cosines.mean(), rel=1e-9)
        assert -1 <= cosine["low"] <= cosine["high"] <= 1
        mean = curves(runs[0][0].parent / "mean")
        assert mean["effective_rank/01_block"].values[-1] == pytest.approx(10 ** ranks.mean(), rel=1e-5)
        assert curves(runs[0][0].parent / "lower")["effective_rank/01_block"].values.min() >= 1
        assert mean["grad_cosine"].values[-1] == pytest.approx(cosines.mean(), rel=1e-5)


def test_the_headline_the_comparison_and_the_report_show_them(swept):
    root, closing, said = swept
    best = max(("sigmoid", "relu"), key=lambda name: table(root, "grad_cosine").loc[(name, 4), "mean"])
    row = next(line for line in closing.splitlines() if line.startswith(f"│ {best} "))
    assert "cosine: grad_cosine" in closing
    assert row.count("*") >= 1  # higher is declared to be better
    assert "grad_cosine against relu" in said
    text = (root / "outputs/cosine/report/table.md").read_text()
    assert "Cosine of consecutive gradients, last epoch" in text
    assert "| activation | hidden blocks | layer | effective rank, last epoch |" in text
    compared = python(root, "-m", "gradflow.study", "outputs/cosine", "compare", "--metric", "effective_rank/01_block")
    assert "effective_rank/01_block (decades, log10) against relu" in compared
    page = (root / "outputs/cosine/report/index.html").read_text()
    assert "effective rank, last epoch" in page


def test_the_metric_of_a_layer_may_be_the_headline(command):
    wanted = (*SHRUNK, "blocks=1", RANK)
    assert "effective_rank/01_block" in command(*wanted, "headline=effective_rank/01_block").out
    wrong = command(*wanted, "headline=effective_rank/9_block")
    assert wrong.status == 2
    assert "no such layer; did you mean 01_block? (layers: 01_block, 02_head)" in wrong.err
    twice = command(*wanted, RANK.replace("callbacks.rank", "callbacks.again"))
    assert (twice.status, "two monitors declare effective_rank/" in twice.err) == (2, True)


def test_a_finished_run_is_not_trained_again_for_a_monitor_and_that_is_said(command):
    assert command(*SHRUNK, "blocks=1").status == 0
    later = command(*SHRUNK, "blocks=1", RANK)
    assert "0 runs to train (1 already done)" in later.out
    assert "1 finished run has no effective_rank/; if a monitor was missing, rerun=true trains again" in later.out
    again = command(*SHRUNK, "blocks=1", RANK, "rerun=true")
    assert ("1 run to train" in again.out, "has no" in again.out) == (True, False)
    assert "has no" not in command(*SHRUNK, "blocks=1", RANK).out


def test_what_a_monitor_records_without_declaring_it_is_named(command):
    wanted = (*SHRUNK, "blocks=1", RANK.replace("EffectiveRank", "Undeclared"))
    said = command(*wanted).out
    assert "no monitor declares effective_rank/01_block: run.json has it, the report leaves it out" in said


def test_a_declaration_that_is_no_metric_is_refused(command):
    refused = command(*SHRUNK, "blocks=1", RANK.replace("EffectiveRank", "Misdeclared"))
    assert refused.status == 2
    assert refused.err.startswith("gradflow: callbacks: cannot be built")


def test_a_monitor_changes_nothing_in_training_nor_the_folder(command, tmp_path):
    plain, watched = (f"output_dir={tmp_path}/{name}" for name in ("plain", "watched"))
    assert command(*SHRUNK, "blocks=2", plain).status == 0
    assert command(*SHRUNK, "blocks=2", watched, RANK).status == 0
    runs = [next((tmp_path / name).glob("*/*/seed=0")) for name in ("plain", "watched")]
    assert runs[0].relative_to(tmp_path / "plain") == runs[1].relative_to(tmp_path / "watched")
    hashes = [json.loads((run / "run.json").read_text())["config_hash"] for run in runs]
    assert hashes[0] == hashes[1]
    states = [weights(run) for run in runs]
    assert json.dumps([tensor.tolist() for tensor in states[0].values()]) == json.dumps(
        [tensor.tolist() for tensor in states[1].values()]
    )
