"""`gradflow.load`: every run, every recorded value, under documented columns."""

import re
import subprocess
import sys

import pandas as pd
import pytest
from forged_runs import typical, write_run

import gradflow
from gradflow import CONF
from gradflow.errors import ConfigError
from gradflow.runs.record import State

PAGE = (CONF.parent / "docs" / "notebooks.md").read_text()
IDENTITY = ["study", "config", "activation", "blocks", "variant", "seed"]


@pytest.fixture
def study(tmp_path):
    folder = tmp_path / "outputs" / "digits_conv"
    for seed in (1, 0):
        for activation in ("sigmoid", "relu"):
            write_run(folder, activation=activation, seed=seed, **typical(accuracy=0.9 + seed / 100, blocks=3))
    return folder


def test_a_study_is_one_row_for_each_run_and_metric(study):
    results = gradflow.load(study)
    assert list(results.runs.columns)[:6] == IDENTITY
    assert list(zip(results.runs["activation"], results.runs["seed"], strict=True)) == [
        *(("relu", 0), ("relu", 1), ("sigmoid", 0), ("sigmoid", 1))
    ]
    assert results.runs["score"].tolist() == [0.9, 0.91, 0.9, 0.91]
    assert results.runs["duration_s"].tolist() == [60.0] * 4
    assert (results.runs["finished"] - results.runs["started"]).unique() == [pd.Timedelta(minutes=1)]
    metrics = results.metrics.set_index(["config", "seed", "metric"])
    headline = metrics.loc[("activation=sigmoid,blocks=3", 1, "test/acc_at_best")]
    assert (headline["value"], headline["unit"]) == (0.91, "fraction")
    assert headline["words"] == "test accuracy at the best epoch"
    assert metrics.loc[("activation=relu,blocks=3", 0, "grad_rms/01_block"), "value"] == 1e-3
    assert repr(results).startswith("<4 runs of digits_conv:")


def test_curves_hold_every_point_of_the_network_and_layers_those_of_its_layers(study):
    results = gradflow.load(str(study))
    curves, layers = results.curves, results.layers
    assert set(curves["metric"].unique()) == {
        "val/acc",
        "train/loss",
        "train/acc",
        "train/loss_step",
        "grad_norm/total",
    }
    norm = curves[(curves["metric"] == "grad_norm/total") & (curves["seed"] == 1) & (curves["activation"] == "relu")]
    assert norm["step"].tolist() == list(range(20))
    assert norm["value"].tolist() == pytest.approx([1 / (step + 1) for step in range(20)], rel=1e-6)
    assert set(layers["metric"].unique()) == {"grad_rms", "dead_units", "low_slope", "dormant_units"}
    rms = layers[(layers["metric"] == "grad_rms") & (layers["step"] == 0)]
    assert rms.groupby("config", observed=True)["layer"].count().tolist() == [10, 10]  # five layers, two seeds
    assert rms["index"].max() == 4
    assert len(curves) == 4 * (3 * 4 + 2 * 20)
    assert len(layers) == 4 * (5 * 20 + 3 * 4 * 5)


def test_folders_of_studies_configurations_and_single_runs_are_found(study, tmp_path):
    write_run(study.parent / "moons_mlp", activation="tanh", blocks=None, seed=0)
    everything = gradflow.load(study.parent)
    assert everything.runs["study"].value_counts().to_dict() == {"digits_conv": 4, "moons_mlp": 1}
    assert everything.runs["blocks"].isna().sum() == 1
    one = gradflow.load(study / "activation=relu,blocks=3")
    assert one.runs["seed"].tolist() == [0, 1]
    copy = tmp_path / "elsewhere"
    (study / "activation=relu,blocks=3" / "seed=1").rename(copy)
    run = gradflow.load(copy)
    assert (len(run.runs), len(run.curves)) == (1, 52)
    with pytest.raises(ConfigError, match="no runs here"):
        gradflow.load(tmp_path / "none")


def test_unfinished_and_failed_runs_are_there_with_their_state(study):
    error = {"type": "MemoryError", "message": "no memory", "traceback": []}
    write_run(study, activation="relu", seed=5, blocks=3, state=State.FAILED, error=error, curves={"val/acc": {5: 0.5}})
    write_run(study, activation="relu", seed=6, blocks=3, state=State.RUNNING)  # whose process is gone
    write_run(study, activation="relu", seed=7, blocks=3, state=State.PLANNED)
    results = gradflow.load(study)
    added = results.runs[results.runs["seed"] > 1].set_index("seed")
    assert added["state"].to_dict() == {5: "failed", 6: "interrupted", 7: "planned"}
    assert added.loc[5, "why"] == "MemoryError: no memory"
    assert added["score"].isna().all()
    assert results.curves[results.curves["seed"] > 1]["value"].tolist() == [0.5]


def test_damaged_records_and_curves_are_left_out_with_a_warning(study, caplog):
    (study / "activation=relu,blocks=3" / "seed=0" / "run.json").write_text("{")
    (file,) = (study / "activation=relu,blocks=3" / "seed=1").glob("events.out.tfevents.*")
    file.write_bytes(file.read_bytes()[:-20])
    results = gradflow.load(study)
    assert len(results.runs) == 3
    assert set(results.curves["activation"].unique()) == {"sigmoid"}
    assert any("seed=0/run.json: damaged" in message for message in caplog.messages)
    assert any("seed=1: its curves are not whole" in message for message in caplog.messages)


def test_neither_torch_nor_lightning_is_imported(study):
    program = (
        "import sys, gradflow\n"
        f"results = gradflow.load({str(study)!r})\n"
        "assert len(results.layers) and len(results.curves)\n"
        "print({'torch', 'lightning', 'hydra'} & set(sys.modules))"
    )
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "set()\n"
    )


def test_the_page_has_every_column(study):
    results = gradflow.load(study)
    for frame in (results.runs, results.metrics, results.curves, results.layers):
        assert list(frame.columns)[:6] == IDENTITY
        assert {column for column in frame.columns if f"`{column}`" not in PAGE} == set()


def test_the_examples_of_the_page_run(study, monkeypatch):
    monkeypatch.chdir(study.parents[1])
    names = {}
    for example in re.findall(r"^```python\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL):
        exec(example, names)
    assert names["table"].loc[("relu", 3)].tolist() == pytest.approx([0.905, 0.01 / 2**0.5, 2])
    assert names["by_step"].shape == (4, 2)
    assert names["by_step"].iloc[-1].tolist() == pytest.approx([0.905, 0.905])
    assert len(names["averaged"]) == 10
    assert names["averaged"].tolist() == pytest.approx([1e-3] * 10)
    assert '"type": "log"' in names["chart"].to_json()
