"""Is this configuration sensible? If not, one clear error (key, value, remedy) before anything is trained."""

import inspect
import itertools
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.utils import get_object
from omegaconf import DictConfig, ListConfig, OmegaConf

from gradflow.data.archive import memory
from gradflow.errors import ConfigError, nearest, shown
from gradflow.models import signature
from gradflow.runs import durable
from gradflow.sweep.checks import activation, arguments, callbacks, loggers, own_module, schema, training
from gradflow.sweep.checks.values import Rule, check_plain

_ROOT = {key: Rule(annotation) for key, annotation in schema.types(schema.Root).items()}
_BYTES_PER_WEIGHT = 8  # in float32, with its gradient


def check(cfg: DictConfig) -> None:
    """Refuse values that make no sense.

    Raises:
        ConfigError: naming key, value and remedy.
    """
    container = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(container, dict)
    plain = {str(key): value for key, value in container.items()}
    _known_keys(plain)
    for key in (one for one in _ROOT if one != "study"):
        _ROOT[key].check(key, plain[key])
    activation.check(plain["activation"])
    own_module.check(plain)
    for group, keys in schema.GROUPS.items():
        if plain[group] or not plain["module"]:  # a module of the user's own empties what it does not take
            arguments.check(group, plain[group], own_module.schema_of(group, plain, keys))
    _ROOT["study"].check("study", plain["study"])  # made of the names in the groups
    _callbacks(plain["callbacks"])
    loggers.check(cfg, plain["logger"])
    callbacks.check_kinds(cfg)
    if not plain["module"]:
        _size(cfg)
        _memory(cfg)
    training.check(cfg)
    _folder(cfg)
    if cfg.trust:
        raise ConfigError(
            "trust=true: no effect without resume=STUDY, as what you type is trusted anyway; leave it out"
        )


def check_seed(seed: Any) -> None:
    """Refuse a seed that is not a whole number of at least 0."""
    _ROOT["seed"].check("seed", OmegaConf.to_container(seed) if OmegaConf.is_config(seed) else seed)


def check_writable(folder: Path) -> None:
    """Create the folder; refuse one that cannot be written to."""
    try:
        durable.make_folder(folder)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigError(
            f"output_dir={folder.parent}: cannot write to {folder} ({error.strerror}); choose another output_dir"
        ) from error


def _known_keys(values: Mapping[Any, Any]) -> None:
    known = [*schema.GROUPS, *_ROOT, "callbacks", "logger", "module"]
    for key in values:
        if key not in known:
            raise ConfigError(f"{key!s}={shown(values[key])}: no such key{nearest(str(key), known)}")
    for needed in known:
        if needed not in values:
            raise ConfigError(f"{needed}: missing; leave ~{needed} out of the command")


def _callbacks(chosen: Any) -> None:
    if not isinstance(chosen, dict):
        raise ConfigError(f"callbacks={shown(chosen)}: use callbacks=none to switch them all off")
    for name, callback in chosen.items():
        key = f"callbacks.{name!s}"
        check_plain(key, name)
        if callback is None:
            continue
        if not isinstance(callback, dict) or arguments.TARGET not in callback:
            raise ConfigError(f"{key}={shown(callback)}: needs a _target_, or {key}=null for none")
        arguments.check(key, callback, schema.Callback)


def _folder(cfg: DictConfig) -> None:
    if Path(cfg.study).name != cfg.study or cfg.study in (".", ".."):
        raise ConfigError(f"study={cfg.study}: needs the name of one folder; the folder above it is output_dir")
    try:
        Path(cfg.output_dir, cfg.study).exists()
    except OSError as error:  # a name that the file system does not take, a folder above that may not be entered
        key = f"output_dir={shown(cfg.output_dir)} study={shown(cfg.study)}"
        raise ConfigError(f"{key}: cannot be used ({error.strerror}); choose others") from error


def _size(cfg: DictConfig) -> None:
    """blocks and width only where the model uses them, where one may list what the other counts; norm always."""
    takes = signature.arguments(cfg.model._target_)
    # By `norm` the package tells whether its networks have batch normalisation.
    if _is_ours(cfg) and "norm" in takes and "norm" not in cfg.model:
        raise ConfigError("model.norm: missing; leave ~model.norm out of the command")
    for key in ("blocks", "width"):
        value = cfg[key]
        if key not in cfg.model and key not in takes:
            if value is not None:
                what = "has a fixed size" if _is_ours(cfg) else f"({cfg.model._target_}) takes no `{key}`"
                raise ConfigError(f"{key}={value}: model={cfg.model.get('name')} {what}; leave {key} out")
            continue
        if value is None and (key == "width" or not isinstance(cfg.width, ListConfig)):
            raise ConfigError(f"{key}=null: needs a whole number of at least 1, e.g. {key}=2")
        if cfg.model.get(key, value) != value:
            raise ConfigError(f"model.{key}={shown(cfg.model[key])}: set the knob itself, {key}={cfg.model[key]}")


def _is_ours(cfg: DictConfig) -> bool:
    return cfg.model._target_.startswith("gradflow.models.")


def _memory(cfg: DictConfig) -> None:
    """Refuse hidden layers that this machine, which builds them before anything is trained, cannot hold."""
    if cfg.width is None or not _is_ours(cfg):
        return
    network = get_object(cfg.model._target_)
    if isinstance(cfg.width, ListConfig):
        weights = sum(before * after for before, after in itertools.pairwise(cfg.width))
    elif hasattr(network, "hidden_weights"):
        options = inspect.signature(network.hidden_weights).parameters
        weights = network.hidden_weights(**{name: cfg.model[name] for name in options})
    else:
        layers = cfg.blocks if "kernel_size" in cfg.model else cfg.blocks - 1  # a convolution's stem comes on top
        weights = layers * cfg.width**2 * cfg.model.get("kernel_size", 1) ** 2
    if (size := weights * _BYTES_PER_WEIGHT) > memory():
        raise ConfigError(
            f"width={shown(cfg.width)} blocks={shown(cfg.blocks)}: the hidden weights and their gradients need "
            f"{size / 1e9:,.0f} GB, and this machine has {memory() / 1e9:,.0f}; use fewer or narrower blocks"
        )
