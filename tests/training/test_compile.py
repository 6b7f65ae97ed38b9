"""torch.compile changes how fast a run is and the rounding of its last digits, and nothing else."""

import pytest
import torch
from finished_runs import left_by, only_run, run_folders
from interruptions import interrupt_after
from torch._dynamo.utils import counters

SMALL = ("width=4", "blocks=1", "trainer=cpu", "trainer.max_epochs=2", "callbacks.pictures=null", "threads=1")


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def compiled():
    """Graphs that were compiled so far in this process."""
    return counters["stats"]["unique_graphs"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "graphs_of_a_run"),
    [
        ("model=conv activation=relu,tanh", 2),  # the network, for whole batches and the smaller one at an epoch's end
        ("model=mlp activation=rrelu model.dropout=0.2", 1),  # the update by a whole batch
        ("model=mlp activation=relu model.dropout=0.2 trainer.gradient_clip_val=9", 2),
    ],
)
def test_a_compiled_run_differs_by_rounding(command, tmp_path, options, graphs_of_a_run):
    results, graphs = [], []
    for knob in ("false", "true"):
        before, folder = compiled(), tmp_path / knob
        arguments = (*SMALL, *options.split(), "precision=64", f"compile={knob}", f"output_dir={folder}/outputs")
        assert command(*arguments).status == 0
        results.append([left_by(run) for run in run_folders(folder)])
        graphs.append(compiled() - before)
    assert graphs == [0, graphs_of_a_run * len(results[1])]
    for plain, other in zip(*results, strict=True):
        assert other["metrics"] == pytest.approx(plain["metrics"], rel=1e-6, abs=1e-9)
        assert other["curves"].keys() == plain["curves"].keys()
        for tag, points in plain["curves"].items():
            torch.testing.assert_close(double(other["curves"][tag]), double(points), rtol=1e-5, atol=1e-12)
        for name, weights in plain["last.ckpt"].items():
            torch.testing.assert_close(double(other["last.ckpt"][name]), double(weights), rtol=1e-6, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["conv", "mlp"])
def test_an_interrupted_compiled_run_ends_bit_identical(command, tmp_path, monkeypatch, model):
    options = (*SMALL, "trainer.max_epochs=4", f"model={model}", "model.dropout=0.2", "compile=true")
    assert command(*options, f"output_dir={tmp_path}/whole/outputs").status == 0
    assert interrupt_after(command, monkeypatch, 3, *options).status == 130
    assert "resuming after epoch 2" in command(*options).out
    assert left_by(only_run(tmp_path)) == left_by(only_run(tmp_path / "whole"))
