"""Run folders of version 1 are read under today's tags."""

import json

import numpy as np
import pytest
from forged_runs import write_run

from gradflow.runs.events import curves
from gradflow.runs.record import read_record

LAYERS = ("00_stem", "01_block", "02_block", "03_block", "04_head")


def written(study, *, overrides=(), layers=LAYERS, headline="test/acc_precise_bn"):
    """A run folder of version 1, whose gradient loses a factor of 2, then of 8, from block to block."""
    values = {f"grad_rms/{layer}": value for layer, value in zip(layers, (7.0, 0.5, 1.0, 8.0, 3.0), strict=False)}
    metrics = {"test/acc": 0.3, "test/acc_precise_bn": 0.9, "grad_flow/decades_per_layer": 1.5, **values}
    found = {tag: [value, 10 * value] for tag, value in values.items()} | {"grad_flow/decades_per_layer": [1.5, 1.5]}
    folder = write_run(study, headline=headline, overrides=list(overrides), metrics=metrics, curves=found)
    content = json.loads((folder / "run.json").read_text())
    del content["identity"]
    (folder / "run.json").write_text(json.dumps(content))
    return folder


def test_scores_by_recomputed_statistics_are_called_so(tmp_path):
    record = read_record(written(tmp_path))
    assert record["identity"] == 1
    assert record["headline"] == "test/acc_recomputed_bn"
    assert (record["metrics"]["test/acc"], record["metrics"]["test/acc_recomputed_bn"]) == (0.3, 0.9)
    assert "test/acc_precise_bn" not in record["metrics"]


def test_the_gain_per_layer_comes_from_the_blocks_gradients(tmp_path):
    folder = written(tmp_path, headline="grad_flow/decades_per_layer")
    expected = 10.0 ** -np.polyfit(range(3), np.log10([0.5, 1.0, 8.0]), 1)[0]  # 1/4: the factor of 16 over two layers
    assert expected == pytest.approx(0.25)
    record = read_record(folder)
    assert record["headline"] == "grad_flow/gain_per_layer"
    assert record["metrics"]["grad_flow/gain_per_layer"] == pytest.approx(expected)
    gain = curves(folder)["grad_flow/gain_per_layer"]
    assert gain.steps.tolist() == [0, 1]
    assert gain.values.tolist() == pytest.approx([expected, expected])
    assert not any("decades" in tag for tag in {**record["metrics"], **curves(folder)})


@pytest.mark.parametrize(
    ("overrides", "layers"),
    [
        (["width=[64,32,16]"], ("01_block", "02_block", "03_block", "04_head")),  # blocks of different shapes
        ([], ("01_block", "02_block", "03_head")),  # the first block sees the data
        ([], ("01_conv", "02_conv", "03_linear", "04_linear", "05_head")),
    ],
)
def test_where_no_two_layers_are_known_to_have_one_shape_there_is_no_gain(tmp_path, overrides, layers):
    folder = written(tmp_path, overrides=overrides, layers=layers)
    assert "grad_flow/gain_per_layer" not in {**read_record(folder)["metrics"], **curves(folder)}


def test_a_layer_without_a_gradient_has_no_gain(tmp_path):
    folder = written(tmp_path)
    content = json.loads((folder / "run.json").read_text())
    content["metrics"]["grad_rms/02_block"] = 0.0
    (folder / "run.json").write_text(json.dumps(content))
    assert read_record(folder)["metrics"]["grad_flow/gain_per_layer"] is None
