"""A LightningModule and a LightningDataModule of the user's own, from a configuration to objects.

A module gets what its constructor takes of the knobs and of what is known of the data, beside its own arguments.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import lightning as L
from hydra.utils import get_object
from lightning.pytorch.utilities.model_helpers import is_overridden
from omegaconf import DictConfig, OmegaConf

from gradflow.data.datamodule import ArrayDataModule
from gradflow.models import signature
from gradflow.runs.logged import better
from gradflow.seeds import Stream, torch_seed
from gradflow.training.epoch_scores import EpochScores
from gradflow.training.epoch_seeds import seed_everything

TARGET = "_target_"
OURS = ("name", "monitor", "mode", "higher", "lower")  # keys of the group that are not the module's arguments
KNOBS = ("blocks", "width", "seed")
FACTORIES = ("activation", "optimizer")  # groups that a module gets as functions
OF_THE_DATA = ("input_shape", "in_channels", "num_classes", "num_outputs")
OFFERED = (*KNOBS, *FACTORIES, *OF_THE_DATA)
RATES = ("lr", "learning_rate")  # what a constructor may call a learning rate
MODES = {"lower": "min", "higher": "max"}


def is_own(cfg: DictConfig) -> bool:
    """Whether the module is the user's own; configurations of before have no group `module`."""
    return bool(cfg.get("module"))


def has_own_data(cfg: DictConfig) -> bool:
    """Whether the data are a LightningDataModule of the user's own.

    Raises:
        Exception: whatever importing it raises.
    """
    return is_own_data(get_object(cfg.data[TARGET]) if cfg.data.get(TARGET) else None)


def is_own_data(kind: Any) -> bool:
    """Whether something is a class of LightningDataModules, and not gradflow's own."""
    return inspect.isclass(kind) and issubclass(kind, L.LightningDataModule) and not issubclass(kind, ArrayDataModule)


def arguments(cfg: DictConfig) -> dict[str, Any]:
    """The module's own arguments in the configuration, and the target."""
    takes = signature.arguments(cfg.module[TARGET])
    return {str(key): cfg.module[key] for key in cfg.module if key not in OURS or key in takes}


def scores(cfg: DictConfig) -> EpochScores:
    """Which epoch is best, by the configured value."""
    return EpochScores(cfg.module.monitor, mode(cfg) or "min")


def mode(cfg: DictConfig) -> str | None:
    """`min` or `max`; None if neither the configuration nor the name of the monitored value tells."""
    if cfg.module.mode is not None:
        return str(cfg.module.mode)
    monitor = cfg.module.monitor
    known = "higher" if monitor in cfg.module.higher else "lower" if monitor in cfg.module.lower else better(monitor)
    return MODES[known] if known else None


def data(cfg: DictConfig, make: Callable[..., Any]) -> L.LightningDataModule:
    """The data module; what its constructor, `prepare_data` and `setup` draw is the split's stream.

    Args:
        cfg: the composed configuration.
        make: builds what a node names.
    """
    seed_split(cfg)
    takes = signature.arguments(cfg.data[TARGET])
    node = {key: cfg.data[key] for key in cfg.data if key != "name" or "name" in takes}
    return make(node, **({"seed": cfg.seed} if "seed" in takes else {}))


def seed_split(cfg: DictConfig) -> None:
    """Seed whatever a data module draws when it is made or set up: the same for all seeds, unless they resample it."""
    seed_everything(torch_seed(cfg.seed if cfg.resample_split else 0, Stream.SPLIT))


def module(
    cfg: DictConfig, data: L.LightningDataModule, make: Callable[..., Any], *, factories: Mapping[str, Callable]
) -> L.LightningModule:
    """The module with the initial weights of `cfg.seed`.

    Args:
        cfg: the composed configuration.
        data: says what is known of the samples.
        make: builds what a node names.
        factories: makers of `FACTORIES`.
    """
    takes = signature.arguments(cfg.module[TARGET])
    given = arguments(cfg)
    offered = _knobs(cfg) | dict(factories) | _of_the_data(data)
    offered = {key: value for key, value in offered.items() if key in takes and key not in given}
    seed_everything(torch_seed(cfg.seed, Stream.WEIGHTS))
    made: L.LightningModule = make(given, **offered)
    # Lightning widens the weights only after restoring a checkpoint, whose weights would be rounded.
    return made.double() if str(cfg.precision) == "64" else made


def _knobs(cfg: DictConfig) -> dict[str, Any]:
    return {key: OmegaConf.to_container(cfg[key]) if OmegaConf.is_list(cfg[key]) else cfg[key] for key in KNOBS}


def _of_the_data(data: L.LightningDataModule) -> dict[str, Any]:
    """What a data module says of its samples; gradflow's own name the outputs and the shape."""
    known = {key: getattr(data, key) for key in OF_THE_DATA if getattr(data, key, None) is not None}
    if isinstance(data, ArrayDataModule):
        known |= {"in_channels": data.input_shape[0], "num_classes": max(2, data.num_outputs)}
    return known


def learning_rate(cfg: DictConfig) -> float | None:
    """The initial learning rate: the optimizer's, or what a module of the user's own is given as one; else None."""
    if cfg.optimizer.get("lr") is not None or not is_own(cfg):
        return cfg.optimizer.lr
    known = inspect.signature(get_object(cfg.module[TARGET])).parameters
    for name in (name for name in RATES if name in known):
        value = cfg.module.get(name, known[name].default)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    return None


def has_test(module: L.LightningModule, data: L.LightningDataModule) -> bool:
    """Whether there is something to test, and a step that does."""
    return is_overridden("test_step", module) and is_overridden("test_dataloader", data)
