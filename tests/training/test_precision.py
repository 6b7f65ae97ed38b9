"""What is measured in float32 is what float64 says, and what is measured in bfloat16 a few per cent off at most.

Batches are those of the published CIFAR-10 study; smaller ones and narrower layers average less of the rounding away.
"""

import pytest
from finished_runs import left_by, only_run

QUANTITIES = ("grad_norm/", "grad_rms/", "grad_abs_mean", "grad_flow/")
TOTALS = ("grad_norm/total", "grad_abs_mean")
GAIN = "grad_flow/gain_per_layer"
RUN = (
    *("trainer=cpu", "threads=1", "trainer.max_epochs=1", "+trainer.limit_train_batches=1"),
    *("callbacks.unit_statistics=null", "callbacks.pictures=null"),
)
CONV = ("model=conv", "width=64", "data.batch_size=128")
MLP = ("model=mlp", "width=64")


def first_gradients(command, folder, *options):
    """Every gradient quantity of the first batch, by tag."""
    assert command(*RUN, *options, f"output_dir={folder}/outputs").status == 0
    curves = left_by(only_run(folder))["curves"]
    return {tag: points[0][1] for tag, points in curves.items() if tag.startswith(QUANTITIES)}


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
@pytest.mark.parametrize("model", [CONV, MLP])
def test_gradients_at_initialisation_agree(command, tmp_path, model, activation):
    options = (*model, "blocks=4", f"activation={activation}")
    found = {p: first_gradients(command, tmp_path / p, *options, f"precision={p}") for p in ("64", "32", "bf16")}
    assert len(found["64"]) >= 2 * 5 + 4
    assert found["32"] == pytest.approx(found["64"], rel=1e-4)
    assert found["bf16"] == pytest.approx(found["64"], rel=0.02)
    assert found["bf16"] != pytest.approx(found["64"], rel=1e-6), "bfloat16 must have been used"


@pytest.mark.slow
@pytest.mark.parametrize(("activation", "seed"), [("relu", 0), ("relu", 1), ("sigmoid", 0), ("tanh", 0)])
def test_bfloat16_in_eight_blocks(command, tmp_path, activation, seed):
    """A layer's gradient is rounded once more in each layer that it has passed: with ReLU, the stem's is 3.7 % off."""
    options = (*CONV, "blocks=8", f"activation={activation}", f"seed={seed}")
    exact, found = (first_gradients(command, tmp_path / p, *options, f"precision={p}") for p in ("64", "bf16"))
    assert found == pytest.approx(exact, rel=0.05)
    assert {tag: found[tag] for tag in TOTALS} == pytest.approx({tag: exact[tag] for tag in TOTALS}, rel=0.01)
    assert found[GAIN] == pytest.approx(exact[GAIN], rel=0.005)
    assert found != pytest.approx(exact, rel=1e-6), "bfloat16 must have been used"
