"""Which configurations can be trained with their seeds stacked, and where that is worth it."""

import torch
from omegaconf import DictConfig

from gradflow import build
from gradflow.errors import ConfigError

# Each entry is updated by itself, whatever tensor it is in.
ELEMENTWISE = ("Adam", "AdamW", "Adamax", "NAdam", "RAdam", "SGD", "ASGD", "RMSprop", "Rprop", "Adagrad", "Adadelta")


def check(cfg: DictConfig) -> None:
    """Refuse what stacked networks cannot have each for itself.

    Raises:
        ConfigError: naming the option.
    """
    activation = str(cfg.activation.get("_target_"))
    optimizer = str(cfg.optimizer.get("_target_"))
    schedule = str(cfg.schedule.get("_target_"))
    if cfg.model.get("dropout"):
        _refuse("model.dropout", cfg.model.dropout, "every seed draws its own masks; use model.dropout=0")
    if activation.endswith(".RReLU"):
        _refuse("activation", "rrelu", "every seed draws its own slopes; use activation=leaky_relu")
    if optimizer not in [f"torch.optim.{name}" for name in ELEMENTWISE]:
        _refuse(
            "optimizer", cfg.optimizer.get("name") or optimizer, "it may mix the seeds' weights; use optimizer=adam"
        )
    if schedule.endswith(".ReduceLROnPlateau"):
        _refuse("schedule", "ReduceLROnPlateau", "the seeds would have different rates; use schedule=cosine")
    if cfg.trainer.gradient_clip_val is not None:
        value = cfg.trainer.gradient_clip_val
        _refuse("trainer.gradient_clip_val", value, "Lightning clips one gradient, not one a seed; leave it out")
    if build.chunk_size(cfg, build.monitors(cfg)) is None:
        raise ConfigError(
            f"seeds_per_job={cfg.seeds_per_job}: each batch has to be a Lightning step of its own here "
            "(steps_per_execution=1, an option of trainer that counts batches, or a callback that looks at them); "
            "use seeds_per_job=1"
        )


def _refuse(key: str, value: object, why: str) -> None:
    raise ConfigError(f"{key}={value}: cannot be trained with seeds_per_job > 1, since {why}, or seeds_per_job=1")


def slower(cfg: DictConfig) -> str | None:
    """Why the seeds are trained one by one all the same on the device at hand; None where stacking pays."""
    on_cpu = cfg.trainer.accelerator == "cpu" or not torch.cuda.is_available()
    if on_cpu and cfg.model.get("name") != "mlp":
        return "stacked convolutions are not faster on a CPU"
    return None
