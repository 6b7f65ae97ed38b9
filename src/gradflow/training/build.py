"""From a configuration to objects."""

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning as L
import torch
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import Logger
from omegaconf import DictConfig, OmegaConf
from torch import nn

from gradflow.callbacks.precise_batch_norm import PreciseBatchNorm
from gradflow.data.datamodule import ArrayDataModule
from gradflow.errors import ConfigError
from gradflow.measure.batch_norm import batch_norm_layers
from gradflow.measure.scores import Task, task
from gradflow.seeds import Stream, torch_seed
from gradflow.training.checkpoints import DurableCheckpointIO
from gradflow.training.cut_short import TimeLimit
from gradflow.training.devices import OwnEnvironment
from gradflow.training.module import ActivationModule

PRECISIONS = {"32": "32-true", "tf32": "32-true", "bf16": "bf16-mixed", "64": "64-true"}  # the knob -> Lightning's
BATCH_NORMS = RECOMPUTED, RUNNING = "recomputed", "running"  # the statistics by which evaluation normalises
# Lightning counts these in training steps or acts on them at every step, so a training step must be one batch.
BATCH_OPTIONS = ("gradient_clip_val", "max_steps", "min_steps", "limit_train_batches")
BATCH_HOOKS = (
    *("on_train_batch_start", "on_train_batch_end", "on_before_optimizer_step"),
    *("on_before_zero_grad", "on_before_backward", "on_after_backward"),
)


def data(cfg: DictConfig, *, chunk_size: int | None = None) -> ArrayDataModule:
    """The data module; it reads or downloads the arrays when one of its properties is first used."""
    return _make(cfg.data, seed=cfg.seed, resample_split=cfg.resample_split, chunk_size=chunk_size)


def chunk_size(cfg: DictConfig, callbacks: Sequence[Callback]) -> int | None:
    """How many batches a training step may take; None if each batch needs a Lightning training step of its own."""
    options = [key for key in (*BATCH_OPTIONS, "fast_dev_run", "strategy") if cfg.trainer.get(key) is not None]
    looks_at_batches = any(
        getattr(type(one), hook) is not getattr(Callback, hook) for one in callbacks for hook in BATCH_HOOKS
    )
    if cfg.steps_per_execution == 1 or options or looks_at_batches or cfg.trainer.accumulate_grad_batches != 1:
        return None
    return cfg.steps_per_execution


def network(cfg: DictConfig, arrays: ArrayDataModule) -> nn.Module:
    """The network with the initial weights of `cfg.seed`."""
    activation: Callable[[], nn.Module] = functools.partial(_make, cfg.activation)
    # The seed also fixes what the layers' own generators do not draw, such as learned activations.
    torch.manual_seed(torch_seed(cfg.seed, Stream.WEIGHTS))
    model = _make(cfg.model, input_shape=arrays.input_shape, num_outputs=arrays.num_outputs, activation=activation)
    _make(cfg.init).apply(model.layers, cfg.seed)
    # Convolutions run up to twice as fast on a CPU, and with bfloat16 on a GPU; Linear layers do not notice.
    return model.to(memory_format=torch.channels_last)


def has_batch_norm(cfg: DictConfig, arrays: ArrayDataModule) -> bool:
    """Whether the network has batch normalisation. The package's own say so in `model.norm`; others are built."""
    if str(cfg.model.get("_target_")).startswith("gradflow.models."):
        return cfg.model.get("norm") == "batch"
    return bool(batch_norm_layers(network(cfg, arrays)))


def learning_task(cfg: DictConfig, arrays: ArrayDataModule) -> Task:
    """Loss, prediction and scores of the data's task, with the output function of `cfg.output`."""
    return task(
        arrays.task,
        num_outputs=arrays.num_outputs,
        output=cfg.output,
        target_scale=arrays.target_scale,
        target_ends=arrays.target_ends,
    )


def module(cfg: DictConfig, arrays: ArrayDataModule) -> ActivationModule:
    """The network with its loss, optimizer and schedule."""
    made = ActivationModule(
        network(cfg, arrays),
        learning_task(cfg, arrays),
        optimizer=_make(cfg.optimizer, _partial_=True, **_unfused(cfg)),
        schedule=_make(cfg.schedule, _partial_=True),
        seed=cfg.seed,
        updates_itself=arrays.chunk_size is not None,
    )
    # Lightning widens the weights only after restoring a checkpoint, whose weights would be rounded.
    return made.double() if str(cfg.precision) == "64" else made


def _unfused(cfg: DictConfig) -> dict[str, bool]:
    """Lightning does not clip what a fused optimizer is about to use in mixed precision."""
    clips = cfg.trainer.gradient_clip_val is not None and str(cfg.precision) == "bf16"
    return {"fused": False} if clips and "fused" in cfg.optimizer else {}


def monitors(cfg: DictConfig) -> list[Callback]:
    """The configured callbacks, in the order of the configuration, after the one that sets the network up for them."""
    statistics = PreciseBatchNorm(recomputes=cfg.batch_norm == RECOMPUTED, samples=cfg.batch_norm_samples)
    return [statistics, *(_make(callback) for callback in cfg.callbacks.values() if callback is not None)]


def logger(cfg: DictConfig, folder: Path) -> Logger | None:
    return _make(cfg.logger, folder=folder)


def trainer(
    cfg: DictConfig,
    folder: Path,
    *,
    callbacks: Sequence[Callback],
    logger: Logger | None = None,
    environment: OwnEnvironment | None = None,
) -> L.Trainer:
    """Lightning's trainer, with `TimeLimit` for its `max_time`.

    Args:
        cfg: the composed configuration.
        folder: the run folder.
        callbacks: in their order.
        logger: where to write; None in every process of a run but the first.
        environment: which process this is; None for the only one.
    """
    return _make(
        {key: value for key, value in cfg.trainer.items() if key != "max_time"},
        callbacks=[*callbacks, *_time_limit(cfg)],
        logger=logger or False,
        default_root_dir=folder,
        # Under Slurm too, a run starts its own processes, and submitit, not Lightning, requeues it.
        plugins=[DurableCheckpointIO(), environment or OwnEnvironment()],
        use_distributed_sampler=False,
        precision=PRECISIONS[str(cfg.precision)],
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1,
    )


def _time_limit(cfg: DictConfig) -> list[Callback]:
    max_time = cfg.trainer.get("max_time")
    plain = OmegaConf.to_container(max_time, resolve=True) if OmegaConf.is_config(max_time) else max_time
    return [] if plain is None else [TimeLimit(plain)]


def _make(cfg: Mapping[Any, Any], **arguments: Any) -> Any:
    """Instantiate what `_target_` names, without the `name` that is only shown; None for a null target."""
    if cfg.get("_target_") is None:
        return None
    try:
        return instantiate({key: cfg[key] for key in cfg if key != "name"}, _convert_="all", **arguments)
    except InstantiationException as error:
        if isinstance(cause(error), ConfigError):
            raise cause(error) from error
        raise


def cause(error: BaseException) -> BaseException:
    """What a constructor raised: Hydra wraps it, once for each level of nesting."""
    while isinstance(error, InstantiationException) and error.__cause__ is not None:
        error = error.__cause__
    return error
