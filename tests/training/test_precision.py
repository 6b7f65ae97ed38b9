"""What is measured in bfloat16 is what is measured in float32, and that what float64 says.

Batches are those of the published CIFAR-10 study; smaller ones and narrower layers average less of the rounding away.
"""

import pytest
from finished_runs import left_by, only_run

QUANTITIES = ("grad_norm/", "grad_rms/", "grad_abs_mean", "grad_flow/first_to_last")
RUN = ("trainer=cpu", "trainer.max_epochs=1", "+trainer.limit_train_batches=1", "callbacks.pictures=null", "threads=1")


def first_gradients(command, folder, *options):
    """Every gradient quantity of the first batch, by tag."""
    assert command(*RUN, *options, f"output_dir={folder}/outputs").status == 0
    curves = left_by(only_run(folder))["curves"]
    return {tag: points[0][1] for tag, points in curves.items() if tag.startswith(QUANTITIES)}


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
@pytest.mark.parametrize(
    "model", [("model=conv", "blocks=4", "width=64", "data.batch_size=128"), ("model=mlp", "blocks=4", "width=64")]
)
def test_gradients_at_initialisation_agree(command, tmp_path, model, activation):
    options = (*model, f"activation={activation}")
    found = {p: first_gradients(command, tmp_path / p, *options, f"precision={p}") for p in ("64", "32", "bf16")}
    assert len(found["64"]) >= 2 * 5 + 3
    assert found["32"] == pytest.approx(found["64"], rel=1e-4)
    assert found["bf16"] == pytest.approx(found["64"], rel=0.02)
    assert found["bf16"] != pytest.approx(found["64"], rel=1e-6), "bfloat16 must have been used"
