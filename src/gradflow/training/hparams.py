"""What TensorBoard's HParams page shows of a run."""

from typing import Any

from omegaconf import DictConfig

from gradflow.runs import identity, tags
from gradflow.runs.metrics import Metric
from gradflow.runs.record import Record
from gradflow.training.module import ActivationModule


def trial(cfg: DictConfig, module: ActivationModule, record: Record) -> dict[str, Any]:
    """Columns of TensorBoard's HParams page."""
    hparams = {
        "activation": record["activation"],
        "blocks": cfg.blocks,
        "width": cfg.width,
        "model": cfg.model.get("name"),
        "data": cfg.data.get("name"),
        "init": cfg.init.get("name"),
        "optimizer": cfg.optimizer.get("name"),
        "lr": cfg.optimizer.lr,
        "batch_size": cfg.data.batch_size,
        "max_epochs": cfg.trainer.max_epochs,
        "parameters": record["parameters"],
        **{axis: value for axis, value in record["axes"].items() if axis not in identity.AXES},
    }
    score = tags.test(module.task.headline)
    shown = [
        *(tags.at_best(score), score, tags.best(module.task.monitor), tags.train(tags.LOSS)),
        *(tags.GAIN_PER_LAYER, tags.GRAD_NORM_TOTAL),
        *(tags.of_layer(quantity, tags.TOTAL) for quantity in tags.UNIT_QUANTITIES),
        *(Metric.of_entry(entry).tag for entry in record["declared_metrics"]),
    ]
    return {
        "hparams": {k: v for k, v in hparams.items() if v is not None},
        "varying": list(record["axes"]),
        "metrics": [tag for tag in shown if not tag.endswith("/")],
    }
