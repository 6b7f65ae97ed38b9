"""The columns of TensorBoard's HParams page."""

from forged_runs import run_record
from omegaconf import OmegaConf

from gradflow.training.hparams import trial

CONFIG = OmegaConf.create(
    {
        "blocks": 4,
        "width": 64,
        "model": {"name": "conv"},
        "data": {"name": "digits", "batch_size": 32},
        "init": {"name": "torch"},
        "optimizer": {"name": "adam"},
        "trainer": {"max_epochs": 10},
    }
)


def told(*, cfg=CONFIG, axes=None, **record):
    return trial(cfg, run_record(parameters=1234, axes=axes, **record), scores=["test/acc_at_best", "test/acc"])


def test_what_varies_has_a_column_and_constants_have_none():
    page = told()
    assert page["varying"] == ["activation", "blocks", "variant"]
    assert page["hparams"]["variant"] == "default"
    assert page["hparams"]["data"] == "digits"


def test_every_run_of_a_study_names_the_same_columns_whatever_it_varies():
    other = told(axes={"model.norm": "none", "optimizer.lr": 0.1})
    assert other["varying"] == told()["varying"]
    assert other["hparams"]["variant"] == "model.norm=none, optimizer.lr=0.1"


def test_a_network_without_depth_has_no_column_for_it():
    fixed = told(cfg=OmegaConf.merge(CONFIG, {"blocks": None}), blocks=None)
    assert fixed["varying"] == ["activation", "variant"]


def test_scores_are_the_first_metrics_then_the_flow_of_gradients_and_those_of_own_monitors():
    metrics = told(declared_metrics=[{"tag": "rank", "words": "rank"}, {"tag": "rank/", "words": "rank"}])["metrics"]
    assert metrics[:3] == ["test/acc_at_best", "test/acc", "grad_flow/gain_per_layer"]
    assert metrics[-1] == "rank"
