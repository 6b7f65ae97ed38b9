"""What TensorBoard's HParams page shows of a run."""

from typing import Any

from omegaconf import DictConfig

from gradflow.runs import identity, metrics
from gradflow.training.module import ActivationModule


def trial(cfg: DictConfig, module: ActivationModule, record: dict[str, Any]) -> dict[str, Any]:
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
    score = f"test/{module.task.headline}"
    units = [metrics.unit_tag(kind, "total") for kind in (metrics.DEAD_UNITS, metrics.LOW_SLOPE, metrics.DORMANT_UNITS)]
    gradients = [metrics.DECADES_PER_LAYER, metrics.GRAD_NORM_TOTAL]
    anew = [metrics.precise_bn(score)] if cfg.model.get("norm") == "batch" else []
    shown = [metrics.at_best(score), score, *anew, metrics.best(module.task.monitor), "train/loss", *gradients, *units]
    return {
        "hparams": {k: v for k, v in hparams.items() if v is not None},
        "varying": list(record["axes"]),
        "metrics": shown,
    }
