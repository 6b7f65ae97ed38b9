"""From a configuration to objects."""

import functools
import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import lightning as L
import torch
from hydra.utils import get_object
from lightning.pytorch.callbacks import Callback, GradientAccumulationScheduler
from lightning.pytorch.loggers import Logger
from lightning.pytorch.profilers import PassThroughProfiler
from omegaconf import DictConfig, OmegaConf
from torch import nn

from gradflow.callbacks.monitor import Monitor, monitors_among
from gradflow.callbacks.precise_batch_norm import PreciseBatchNorm
from gradflow.data import custom
from gradflow.data.datamodule import ArrayDataModule
from gradflow.data.preparation import Preparation
from gradflow.measure.batch_norm import batch_norm_layers
from gradflow.measure.scores import Task, task
from gradflow.seeds import Stream, torch_seed
from gradflow.training import own_module
from gradflow.training.architecture import OURS, activation, architecture
from gradflow.training.checkpoints import DurableCheckpointIO
from gradflow.training.cut_short import LIMITS, limits
from gradflow.training.devices import OwnEnvironment
from gradflow.training.instantiation import made
from gradflow.training.module import ActivationModule
from gradflow.training.process import processes
from gradflow.training.schedules import Schedule, check_counts_updates
from gradflow.training.weight_decay import DECAY

PRECISIONS = {"32": "32-true", "tf32": "32-true", "bf16": "bf16-mixed", "64": "64-true"}  # the knob -> Lightning's
BATCH_NORMS = RECOMPUTED, RUNNING = "recomputed", "running"  # the statistics by which evaluation normalises
# Lightning counts these in training steps or acts on them at every step, so a training step must be one batch.
BATCH_OPTIONS = ("gradient_clip_val", "max_steps", "min_steps", "limit_train_batches", "profiler")
TARGET = "_target_"
RECORD = "gradflow.runs.logger.RunLogger"  # of which the group need say nothing
PROFILE = "profile"  # of the file in the run folder: fit-profile.txt, test-profile.txt
WHEN = ("interval", "monitor")  # options of a schedule that say when it steps
BATCH_HOOKS = (
    *("on_train_batch_start", "on_train_batch_end", "on_before_optimizer_step"),
    *("on_before_zero_grad", "on_before_backward", "on_after_backward"),
)


def any_data(cfg: DictConfig, *, chunk_size: int | None = None) -> L.LightningDataModule:
    """The data module, gradflow's or the user's own."""
    if own_module.is_own(cfg) and own_module.has_own_data(cfg):
        return own_module.data(cfg, made)
    return data(cfg, chunk_size=chunk_size)


def data(cfg: DictConfig, *, chunk_size: int | None = None) -> ArrayDataModule:
    """The data module; it reads or downloads the arrays when one of its properties is first used.

    A function or Dataset class of the user's own (`data=custom`) becomes the source of one.
    """
    options = custom.as_module(cfg.data) if custom.is_source(cfg.data.get(custom.TARGET)) else cfg.data
    return made(options, seed=cfg.seed, resample_split=cfg.resample_split, chunk_size=chunk_size)


def chunk_size(cfg: DictConfig, callbacks: Sequence[Callback]) -> int | None:
    """How many batches a training step may take; None if each batch needs a Lightning training step of its own."""
    options = [key for key in (*BATCH_OPTIONS, "fast_dev_run", "strategy") if cfg.trainer.get(key) is not None]
    looks_at_batches = any(_looks_at_batches(one) for one in callbacks)
    if own_module.is_own(cfg) or cfg.steps_per_execution == 1 or options or looks_at_batches:
        return None
    if cfg.trainer.accumulate_grad_batches != 1:
        return None
    return cfg.steps_per_execution


def _looks_at_batches(callback: Callback) -> bool:
    """Whether it has a hook that is called for every batch, or acts on how many batches make an update."""
    if isinstance(callback, GradientAccumulationScheduler):
        return True
    if isinstance(callback, Monitor) and callback.sees_chunks:
        return False
    # An instance may have a hook that its class has not, such as LambdaCallback's.
    hooks = ((getattr(callback, hook), getattr(Callback, hook)) for hook in BATCH_HOOKS)
    return any(getattr(own, "__func__", None) is not empty for own, empty in hooks)


def network(cfg: DictConfig, arrays: ArrayDataModule) -> nn.Module:
    """The network with the initial weights of `cfg.seed`."""
    # The seed also fixes what the layers' own generators do not draw, such as learned activations.
    torch.manual_seed(torch_seed(cfg.seed, Stream.WEIGHTS))
    model = architecture(cfg, arrays)
    made(cfg.init).draw(model, activation(cfg), num_outputs=arrays.num_outputs, seed=cfg.seed)
    return model


def has_batch_norm(cfg: DictConfig, arrays: ArrayDataModule) -> bool:
    """Whether the network has batch normalisation that is recomputed where the configuration says so.

    The package's own networks say so in `model.norm`; others are built. Modules of the user's own evaluate themselves.
    """
    if own_module.is_own(cfg):
        return False
    if str(cfg.model.get("_target_")).startswith(OURS) and "norm" in cfg.model:
        return cfg.model.norm == "batch"
    return bool(batch_norm_layers(network(cfg, arrays)))


def learning_task(cfg: DictConfig, arrays: ArrayDataModule | Preparation) -> Task:
    """Loss, prediction and scores of the data's task, with the output function of `cfg.output`."""
    return task(
        arrays.task,
        num_outputs=arrays.num_outputs,
        output=cfg.output,
        target_scale=arrays.target_scale,
        target_ends=arrays.target_ends,
    )


def any_module(cfg: DictConfig, data: L.LightningDataModule) -> L.LightningModule:
    """The module that is trained, gradflow's or the user's own."""
    if not own_module.is_own(cfg):
        assert isinstance(data, ArrayDataModule)
        return module(cfg, data)
    optimizer = made(cfg.optimizer, _partial_=True, **_unfused(cfg))
    factories = {"activation": functools.partial(activation, cfg), "optimizer": optimizer}
    return own_module.module(cfg, data, made, factories=factories)


def module(cfg: DictConfig, arrays: ArrayDataModule) -> ActivationModule:
    """The network with its loss, optimizer and schedule."""
    module = ActivationModule(
        network(cfg, arrays),
        learning_task(cfg, arrays),
        optimizer=made(cfg.optimizer, _partial_=True, **_unfused(cfg)),
        schedule=schedule(cfg, arrays),
        seed=cfg.seed,
        activation=type(activation(cfg)),
        updates_itself=arrays.chunk_size is not None,
        compiles=cfg.compile,
    )
    # Lightning widens the weights only after restoring a checkpoint, whose weights would be rounded.
    return module.double() if str(cfg.precision) == "64" else module


def decay_rule(cfg: DictConfig) -> dict[str, str]:
    """For run.json's `content`: weight decay once acted on activations too, which gave another result."""
    if own_module.is_own(cfg) or not cfg.optimizer.get(DECAY) or next(activation(cfg).parameters(), None) is None:
        return {}
    return {f"optimizer.{DECAY}": "spares what activations learn"}


def schedule(cfg: DictConfig, arrays: ArrayDataModule) -> Schedule | None:
    """The learning-rate schedule; one that counts updates is told how many an epoch has."""
    options = {key: cfg.schedule[key] for key in cfg.schedule if key not in WHEN}
    target = options.get("_target_")
    if target is None:
        return None
    counted: dict[str, int] = {}
    if counts_updates(cfg):
        check_counts_updates(cfg.schedule)
        counted["steps_per_epoch"] = updates_per_epoch(cfg, arrays)
    when = {key: cfg.schedule[key] for key in WHEN if key in cfg.schedule}
    return Schedule(made(options, _partial_=True, **counted), **when)


def counts_updates(cfg: DictConfig) -> bool:
    """Whether the schedule has to be told how many updates an epoch has."""
    target = cfg.schedule.get("_target_")
    takes = inspect.signature(get_object(target)).parameters if target is not None else ()
    return "steps_per_epoch" in takes and not cfg.schedule.keys() & {"steps_per_epoch", "total_steps"}


def updates_per_epoch(cfg: DictConfig, arrays: ArrayDataModule) -> int:
    """How many updates an epoch has; its last one may use fewer batches than the others."""
    batches = batches_of("train", cfg, arrays)
    return -(-batches // cfg.trainer.accumulate_grad_batches)


def batches_of(part: str, cfg: DictConfig, arrays: ArrayDataModule) -> int:
    """How many batches of a part are used: `train` in each epoch, `validation` or `test`."""
    size = arrays.batch_size if part == "train" else arrays.eval_batch_size
    batches = -(-getattr(arrays.sizes, part) // size)
    limit = cfg.trainer.get(f"limit_{'val' if part == 'validation' else part}_batches")
    if limit is None:
        return batches
    return min(batches, limit) if isinstance(limit, int) else int(batches * limit)


def _unfused(cfg: DictConfig) -> dict[str, bool]:
    """Lightning does not clip what a fused optimizer is about to use in mixed precision."""
    clips = cfg.trainer.gradient_clip_val is not None and str(cfg.precision) == "bf16"
    return {"fused": False} if clips and "fused" in cfg.optimizer else {}


def monitors(cfg: DictConfig) -> list[Callback]:
    """The configured callbacks, in the order of the configuration, after the one that sets the network up for them."""
    if own_module.is_own(cfg):
        return list(callbacks(cfg).values())
    statistics = PreciseBatchNorm(recomputes=cfg.batch_norm == RECOMPUTED, samples=cfg.batch_norm_samples)
    return [statistics, *callbacks(cfg).values()]


def callbacks(cfg: DictConfig) -> dict[str, Callback]:
    """The configured callbacks by their name, in the order of the configuration, without those switched off."""
    found = {str(name): made(callback) for name, callback in cfg.callbacks.items() if callback is not None}
    for monitor in monitors_among(found.values()):
        monitor.run_config = cast(dict[str, Any], OmegaConf.to_container(cfg))
    return found


def loggers(cfg: DictConfig, folder: Path) -> list[Logger]:
    """The record of the run, unless `logger=none`, and the further loggers in their order."""
    own = {key: value for key, value in cfg.logger.items() if key not in further_loggers(cfg)}
    record = made({TARGET: RECORD, **own}, folder=folder)
    further = [made(node, **_folder_of(node, folder)) for node in further_loggers(cfg).values()]
    return [one for one in (record, *further) if one is not None]


def further_loggers(cfg: DictConfig) -> dict[str, DictConfig]:
    """The loggers on top of the record: entries of the group that name a class of their own."""
    return {str(key): node for key, node in cfg.logger.items() if isinstance(node, DictConfig) and TARGET in node}


def _folder_of(node: DictConfig, folder: Path) -> dict[str, Path]:
    """The run folder, for a logger that takes it; Lightning's write where their own arguments say."""
    return {"folder": folder} if "folder" in inspect.signature(get_object(node[TARGET])).parameters else {}


def trainer(
    cfg: DictConfig,
    folder: Path,
    *,
    callbacks: Sequence[Callback],
    loggers: Sequence[Logger] = (),
    environment: OwnEnvironment | None = None,
) -> L.Trainer:
    """Lightning's trainer, with callbacks for its `max_time` and `max_steps`.

    Args:
        cfg: the composed configuration.
        folder: the run folder.
        callbacks: in their order.
        loggers: where to write; none in every process of a run but the first.
        environment: which process this is; None for the only one.
    """
    options = {key: value for key, value in cfg.trainer.items() if key not in LIMITS}
    if processes(cfg) == 1:
        options.pop("sync_batchnorm", None)  # nothing to synchronise, and on a CPU torch refuses to
    trainer: L.Trainer = made(
        options,
        callbacks=[*callbacks, *limits(cfg)],
        logger=False,
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
    trainer.loggers = list(loggers)  # not by the constructor: Hydra looks into its arguments
    profiler = trainer.profiler  # type: ignore[attr-defined]  # Lightning sets it from outside the class
    if not isinstance(profiler, PassThroughProfiler) and profiler.filename is None:
        # Lightning's log, where it would go otherwise, is not shown.
        profiler.dirpath, profiler.filename = profiler.dirpath or folder, PROFILE
    return trainer
