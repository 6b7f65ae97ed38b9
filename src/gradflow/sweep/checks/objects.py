"""Can everything be built for this data, and does the network fit it?"""

from collections.abc import Sequence
from pathlib import Path

import torch
from omegaconf import DictConfig

from gradflow.activations import probes
from gradflow.callbacks.monitor import declared as declared_by
from gradflow.callbacks.monitor import monitors_among
from gradflow.data.datamodule import ArrayDataModule
from gradflow.errors import ConfigError, nearest, shown
from gradflow.measure.layer_names import layer_names
from gradflow.measure.scores import Task
from gradflow.models.layers import declared_layers
from gradflow.runs import tags
from gradflow.runs.metrics import Metric
from gradflow.sweep.checks import callbacks, dry_step, training, updates
from gradflow.sweep.checks.other_code import refusing
from gradflow.training import build, checkpoints
from gradflow.training.architecture import activation, check_replacement, shown_model
from gradflow.training.epoch_scores import EpochScores
from gradflow.training.lightning_callbacks import refusal
from gradflow.training.module import ActivationModule

ENOUGH_FOR_R2 = 2  # samples


def check_builds(cfg: DictConfig, data: ArrayDataModule) -> None:
    """Refuse what cannot be built for this data or fails on its first batches, and outputs of the wrong shape.

    Raises:
        ConfigError: naming the group.
    """
    target = f"activation._target_={cfg.activation.get('_target_')}"
    with refusing(f"{target} {shown_model(cfg)}"):
        module = build.module(cfg, data)
        wrong = probes.where_own_slope_is_wrong(activation(cfg))
    _check_outputs(cfg, data, module)
    if wrong:
        raise ConfigError(f"{target}: {wrong}; correct it, or leave it out")
    with refusing(f"optimizer={cfg.optimizer.get('name')} schedule={cfg.schedule.get('name')}"):
        updates.check(cfg, module.configure_optimizers(), data)
    _check_callbacks_and_trainer(cfg, module.task, has_batch_norm=has_batch_norm(cfg, data))
    _check_sizes(cfg, data)
    dry_step.check(cfg, data)


def _check_outputs(cfg: DictConfig, data: ArrayDataModule, module: ActivationModule) -> None:
    """Refuse a network that does not fit the data, or in which the activation does not stand."""
    network = module.network
    target = f"activation._target_={cfg.activation.get('_target_')}"
    with refusing(f"{target} {shown_model(cfg)}", "fails on the data"):
        check_replacement(cfg, data)
        with torch.no_grad():
            outputs = network.eval()(torch.zeros(2, *data.input_shape).to(next(module.parameters())))
    if not isinstance(outputs, torch.Tensor):
        raise ConfigError(f"{shown_model(cfg)}: the network returns {type(outputs).__name__}; return one tensor")
    shape = tuple(outputs.shape)
    if shape == (2, data.num_outputs):
        return
    found = f"the network's outputs have shape {shape} for 2 samples and {data.num_outputs} outputs"
    if declared_layers(network):
        raise ConfigError(
            f"{target}: {found}; an activation must keep the shape or state in `pieces` how many inputs it takes per "
            "output"
        )
    raise ConfigError(f"{shown_model(cfg)}: {found}; make it take `num_outputs`, or `num_classes`")


def _check_callbacks_and_trainer(cfg: DictConfig, task: Task, *, has_batch_norm: bool) -> None:
    with refusing("callbacks"):
        made = build.callbacks(cfg)
    callbacks.check_together(cfg, made, task, has_batch_norm=has_batch_norm)
    if has_batch_norm:
        training.check_batch_norm(cfg, shown_model(cfg))
    if cfg.trainer.get("enable_checkpointing") is False:
        raise ConfigError(
            "trainer.enable_checkpointing=false: a run goes on from its last checkpoint and tests its best one; leave "
            "it out"
        )
    with refusing("trainer"):
        saving = checkpoints.checkpoints(Path(), EpochScores(task.monitor, task.mode))
        trainer = build.trainer(cfg, Path(), callbacks=[*build.monitors(cfg), *saving])
    if reason := refusal(type(trainer.profiler)):  # type: ignore[attr-defined]
        raise ConfigError(f"trainer.profiler={shown(cfg.trainer.profiler)}: {reason}")


def _check_sizes(cfg: DictConfig, data: ArrayDataModule) -> None:
    """Refuse parts of which nothing is used, or less than their scores and the network need."""
    for part, size in data.sizes._asdict().items():
        key = f"trainer.limit_{'val' if part == 'validation' else part}_batches"
        batches = build.batches_of(part, cfg, data)
        if batches < 1:
            raise ConfigError(f"{key}={cfg.trainer[key.split('.')[1]]}: leaves no batch; leave it out, or use {key}=1")
        used = min(size, batches * (data.batch_size if part == "train" else data.eval_batch_size))
        if data.task == "regression" and used < ENOUGH_FOR_R2:
            option = "samples of your own" if part == "train" else f"data.{part}_size={ENOUGH_FOR_R2}"
            raise ConfigError(
                f"data={cfg.data.get('name')}: 1 sample of the {part} set is used, and r2 compares at least "
                f"{ENOUGH_FOR_R2}; use more, e.g. {f'{key}={ENOUGH_FOR_R2}' if size > used else option}"
            )
    last = data.sizes.train % cfg.data.batch_size
    if has_batch_norm(cfg, data) and min(last or cfg.data.batch_size, cfg.data.batch_size) == 1:
        raise ConfigError(
            f"data.batch_size={cfg.data.batch_size}: the last of {data.sizes.train:,} samples would be a batch by "
            "itself, which batch normalisation cannot use; use "
            f"data.batch_size={cfg.data.batch_size + 1} or model.norm=layer"
        )


def has_batch_norm(cfg: DictConfig, data: ArrayDataModule) -> bool:
    """Whether the network has batch normalisation.

    Raises:
        ConfigError: if it has to be built to tell, and cannot be.
    """
    with refusing(shown_model(cfg)):
        return build.has_batch_norm(cfg, data)


def decay_rule(cfg: DictConfig) -> dict[str, str]:
    """`build.decay_rule`.

    Raises:
        ConfigError: if the activation has to be built to tell, and cannot be.
    """
    with refusing(f"activation._target_={cfg.activation.get('_target_')}"):
        return build.decay_rule(cfg)


def own_metrics(cfg: DictConfig) -> list[Metric]:
    """The metrics that the configured monitors add to the package's own.

    Raises:
        ConfigError: if the callbacks cannot be built, or two monitors declare one tag.
    """
    with refusing("callbacks"):
        monitors = build.monitors(cfg)
        tags_declared = [metric.tag for monitor in monitors_among(monitors) for metric in monitor.declares]
        own = declared_by(monitors)
    for tag in tags_declared:
        if tags_declared.count(tag) > 1:
            raise ConfigError(f"callbacks: two monitors declare {tag}; give the metric of one of them another tag")
    return own


def monitored(cfg: DictConfig) -> list[str]:
    """The tags of all metrics that the configured monitors record; one that ends in `/` has a value for each layer."""
    with refusing("callbacks"):
        return [metric.tag for monitor in monitors_among(build.monitors(cfg)) for metric in monitor.declares]


def headline(cfg: DictConfig, data: ArrayDataModule) -> str:
    """The metric that tables show: `cfg.headline`, or the test score of the epoch that validation chose.

    Raises:
        ConfigError: if no run of this configuration has it.
    """
    task = build.learning_task(cfg, data)
    tag = cfg.headline
    if tag is None:
        return tags.at_best(tags.test(task.headline))
    with refusing("callbacks"):
        declared = [metric for monitor in monitors_among(build.monitors(cfg)) for metric in monitor.declares]
    legal = _tags_of_a_run(task, declared)
    if tag in legal and tags.is_other_bn(tag) and not has_batch_norm(cfg, data):
        remedy = f"headline={tags.of_last_epoch(tag)}"
        raise ConfigError(f"headline={tag}: this model has no batch normalisation; use {remedy}")
    if tag not in legal and not _is_of_a_layer(tag, declared, cfg, data):
        raise ConfigError(f"headline={tag}: no such metric{nearest(tag, legal)} (metrics: {', '.join(legal)})")
    return tag


def _tags_of_a_run(task: Task, declared: Sequence[Metric]) -> list[str]:
    """The tags that run.json has for a task and its monitors, without those of single layers."""
    scores = (tags.LOSS, *task.meters())
    tested = [tags.test(score) for score in scores]
    others = [part(score) for part in (tags.val, tags.train) for score in scores]
    monitored = [
        metric.tag
        for metric in declared
        if not metric.is_by_layer and (not tags.is_other_bn(metric.tag) or tags.of_last_epoch(metric.tag) in tested)
    ]
    return [*tested, *others, *map(tags.at_best, tested), tags.best(task.monitor), *monitored]


def _is_of_a_layer(tag: str, declared: Sequence[Metric], cfg: DictConfig, data: ArrayDataModule) -> bool:
    """Whether the tag is that of a metric measured per layer, for a layer that the network has.

    Raises:
        ConfigError: if only the layer is wrong.
    """
    quantity, _, layer = tag.rpartition("/")
    if f"{quantity}/" not in [metric.tag for metric in declared]:
        return False
    with refusing(shown_model(cfg)):
        layers = layer_names(build.network(cfg, data).eval(), torch.zeros(2, *data.input_shape))
    if layer not in layers:
        raise ConfigError(f"headline={tag}: no such layer{nearest(layer, layers)} (layers: {', '.join(layers)})")
    return True
