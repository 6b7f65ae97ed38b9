"""What TensorBoard's HParams page shows of a run."""

from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig

from gradflow.runs import identity, tags
from gradflow.runs.metrics import Metric
from gradflow.runs.record import Record

VARIANT = "variant"  # the axes besides activation and depth, in one column: runs of a study do not know each other's
DEFAULT = "default"
VARYING = ("activation", "blocks", VARIANT)  # within studies


def trial(cfg: DictConfig, record: Record, *, scores: Sequence[str]) -> dict[str, Any]:
    """What a run tells TensorBoard's HParams page; `scores` are the tags of the metrics that come first.

    The page takes its columns from any one of its runs, and has all hyperparameters before the scores. So every run
    names the same few that vary within studies; what is constant in most is stored without a column.
    """
    others = [f"{axis}={value}" for axis, value in record["axes"].items() if axis not in identity.AXES]
    hparams = {
        "activation": record["activation"],
        "blocks": cfg.blocks,
        VARIANT: ", ".join(others) or DEFAULT,
        "lr": record["lr"],
        "parameters": record["parameters"],
        "width": cfg.width,
        "model": cfg.model.get("name"),
        "data": cfg.data.get("name"),
        "init": cfg.init.get("name"),
        "optimizer": cfg.optimizer.get("name"),
        "batch_size": cfg.data.get("batch_size"),
        "max_epochs": cfg.trainer.max_epochs,
    }
    shown = [
        *scores,
        *(tags.GAIN_PER_LAYER, tags.GRAD_NORM_TOTAL),
        *(tags.of_layer(quantity, tags.TOTAL) for quantity in tags.UNIT_QUANTITIES),
        *(Metric.of_entry(entry).tag for entry in record["declared_metrics"]),
    ]
    known = {name: value for name, value in hparams.items() if value is not None}
    return {
        "hparams": known,
        "varying": [name for name in VARYING if name in known],
        "metrics": [tag for tag in shown if not tag.endswith("/")],
    }
