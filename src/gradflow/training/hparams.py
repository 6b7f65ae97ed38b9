"""What TensorBoard's HParams page shows of a run."""

from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig

from gradflow.runs import identity, tags
from gradflow.runs.metrics import Metric
from gradflow.runs.record import Record


def trial(cfg: DictConfig, record: Record, *, scores: Sequence[str]) -> dict[str, Any]:
    """Columns of TensorBoard's HParams page; `scores` are the tags of those that come first."""
    hparams = {
        "activation": record["activation"],
        "blocks": cfg.blocks,
        "width": cfg.width,
        "model": cfg.model.get("name"),
        "data": cfg.data.get("name"),
        "init": cfg.init.get("name"),
        "optimizer": cfg.optimizer.get("name"),
        "lr": record["lr"],
        "batch_size": cfg.data.get("batch_size"),
        "max_epochs": cfg.trainer.max_epochs,
        "parameters": record["parameters"],
        **{axis: value for axis, value in record["axes"].items() if axis not in identity.AXES},
    }
    shown = [
        *scores,
        *(tags.GAIN_PER_LAYER, tags.GRAD_NORM_TOTAL),
        *(tags.of_layer(quantity, tags.TOTAL) for quantity in tags.UNIT_QUANTITIES),
        *(Metric.of_entry(entry).tag for entry in record["declared_metrics"]),
    ]
    return {
        "hparams": {k: v for k, v in hparams.items() if v is not None},
        "varying": list(record["axes"]),
        "metrics": [tag for tag in shown if not tag.endswith("/")],
    }
