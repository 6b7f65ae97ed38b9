"""Do the callbacks and what they follow go with a run?"""

from collections.abc import Mapping

from hydra.utils import get_object
from lightning.pytorch.callbacks import Callback, GradientAccumulationScheduler, WeightAveraging
from omegaconf import DictConfig

from gradflow.errors import ConfigError, nearest, shown
from gradflow.measure.scores import Task
from gradflow.runs import tags
from gradflow.training import build
from gradflow.training.lightning_callbacks import refusal


def check_kinds(cfg: DictConfig) -> None:
    """Refuse callbacks by their class, before any of them is built.

    Raises:
        ConfigError: naming the class and what to use instead.
    """
    for name, callback in cfg.callbacks.items():
        if callback is not None:
            kind = get_object(callback["_target_"])
            _check_kind(str(name), callback, kind if isinstance(kind, type) else Callback)


def check_together(cfg: DictConfig, callbacks: Mapping[str, Callback], task: Task, *, has_batch_norm: bool) -> None:
    """Refuse callbacks that do not go with the rest of the configuration, and scores that no epoch has.

    Args:
        cfg: the composed configuration.
        callbacks: built, by their name.
        task: says what the scores are.
        has_batch_norm: whether the network has batch normalisation.

    Raises:
        ConfigError: naming key, value and remedy.
    """
    _check_score("schedule.monitor", cfg.schedule.get("monitor"), task)
    only_known = all(map(is_known, callbacks.values()))  # others may log scores of their own
    for name, callback in callbacks.items():
        _check_kind(name, cfg.callbacks[name], type(callback))  # what a function returns is known only now
        if only_known:
            _check_score(f"callbacks.{name}.monitor", getattr(callback, "monitor", None), task)
        target = f"callbacks.{name}._target_={cfg.callbacks[name]['_target_']}"
        if isinstance(callback, WeightAveraging) and has_batch_norm and cfg.batch_norm == build.RECOMPUTED:
            raise ConfigError(
                f"{target}: batch normalisation's statistics would be recomputed at the weights of the moment and used "
                "with their averages; use batch_norm=running, which averages them too, or model.norm=layer"
            )
        if isinstance(callback, GradientAccumulationScheduler) and build.counts_updates(cfg):
            raise ConfigError(
                f"{target}: schedule={cfg.schedule.get('name')} has to know how many updates an epoch has, which would "
                "change on the way; use trainer.accumulate_grad_batches, or schedule=cosine"
            )


def is_known(callback: Callback) -> bool:
    """Whether a callback is gradflow's or Lightning's: what it does is known, as that of your own is not."""
    return type(callback).__module__.partition(".")[0] in ("gradflow", "lightning")


def _check_kind(name: str, callback: DictConfig, kind: type[Callback]) -> None:
    if reason := refusal(kind):
        raise ConfigError(f"callbacks.{name}._target_={callback['_target_']}: {reason}")


def _check_score(key: str, monitor: str | None, task: Task) -> None:
    """Refuse to follow what an epoch does not score."""
    scores = (tags.LOSS, *task.meters())
    known = [*map(tags.val, scores), *map(tags.train, scores), tags.best(task.monitor)]
    if monitor is not None and monitor not in known:
        raise ConfigError(
            f"{key}={shown(monitor)}: no such score{nearest(monitor, known)} (scores: {', '.join(known)})"
        )
