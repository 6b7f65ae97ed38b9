"""Which runs are the same: a hash of what determines a result, and the folder name that shows it.

Two runs share a folder exactly when their resolved configurations are equal. What changes a result by rounding at most
(device, launcher) or not at all (logger, progress, output paths) does not count.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf

# Prefixes of dotted keys that do not count. Everything else does, including keys yet to be invented.
NOT_COUNTED = (
    "hydra",
    "study",
    "headline",
    "output_dir",
    "rerun",
    "resume",
    "data_dir",
    "logger",
    "threads",
    "runs_per_job",
    "steps_per_execution",
    "compile",
    "activation.inplace",
    "optimizer.fused",
    "callbacks.pictures",
    "callbacks.precise_batch_norm",
    "callbacks.health_warnings",
    "trainer.accelerator",
    "trainer.devices",
    "trainer.num_nodes",
    "trainer.strategy",
    "trainer.sync_batchnorm",
)
# Keys added later, each with the value that means the former behaviour. With that value they do not count, so that what
# older versions trained is still found.
ADDED = {"output": None, "resample_split": False}
AXES = ("activation", "blocks", "seed")  # shown first, in their own form
ABSENT = "absent"  # shown for a default key that was removed (~key)


def resolved(cfg: DictConfig) -> dict[str, Any]:
    """The configuration that determines the result, as dotted keys with plain values; None where a value is missing."""
    container = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=False)
    assert isinstance(container, dict)
    later = {key for key, before in ADDED.items() if key in container and container[key] == before}
    counted = (key for key in container if key not in NOT_COUNTED and key not in later)
    values = _dotted({key: container[key] for key in counted})
    return {
        key: None if value == "???" else _plain(value)
        for key, value in values.items()
        if not _is_under(key, NOT_COUNTED) and not key.endswith(".data_dir")
    }


def config_hash(cfg: DictConfig) -> str:
    """SHA-256 of the resolved configuration, 64 hexadecimal digits."""
    return _digest(resolved(cfg))


def hashes(cfg: DictConfig) -> tuple[str, str]:
    """`config_hash`, and the same hash without the seed, which all seeds of a configuration share."""
    values = resolved(cfg)
    return _digest(values), _digest({key: value for key, value in values.items() if key != "seed"})


def _digest(values: Mapping[str, Any]) -> str:
    canonical = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def activation_label(cfg: DictConfig) -> str:
    """The activation's `name`, or its class's name if it has none."""
    return cfg.activation.get("name") or str(cfg.activation["_target_"]).rpartition(".")[2]


def study_axes(
    cfg: DictConfig, choices: Mapping[str, str | None], compose: Callable[[list[str]], tuple[DictConfig, dict]]
) -> dict[str, Any]:
    """What distinguishes a configuration from the others in its study: activation, blocks, then all non-default values.

    Args:
        cfg: the composed configuration of one run.
        choices: config group -> the option that the run chose.
        compose: overrides -> (configuration, choices); called for the study's defaults.

    Returns:
        Axis -> value, in the order in which they are shown; `seed` is not among them.
    """
    experiment = choices.get("experiment")
    preset = [f"experiment={experiment}"] if experiment else []
    _, default_choices = compose(preset)
    changed = {
        group: option
        for group, option in choices.items()
        # An option of `trainer` says where to train rather than how; the keys that count are shown one by one.
        if "/" not in group and option != default_choices.get(group) and not _is_under(group, (*NOT_COUNTED, "trainer"))
    }
    reference, _ = compose([*preset, *(f"{group}={option}" for group, option in changed.items())])
    shown: dict[str, Any] = {"activation": activation_label(cfg)}
    if cfg.blocks is not None:
        shown["blocks"] = cfg.blocks
    shown |= {group: option for group, option in changed.items() if group != "activation"}
    hidden = [*AXES, "activation.name", *(["activation._target_"] if cfg.activation.get("name") is None else [])]
    return shown | {key: value for key, value in _differences(cfg, reference).items() if key not in hidden}


def _differences(cfg: DictConfig, reference: DictConfig) -> dict[str, Any]:
    """Values that differ from the reference, in its order, then new keys by name, then the removed ones.

    A value that follows another by the same interpolation as in the reference is left out.
    """
    values, defaults = resolved(cfg), resolved(reference)
    written, written_defaults = _written(cfg), _written(reference)
    order = [*defaults, *sorted(values.keys() - defaults.keys())]
    different = {
        key: values[key]
        for key in order
        if key in values
        and json.dumps(values[key]) != json.dumps(defaults.get(key, ABSENT))
        and written[key] != written_defaults.get(key, ABSENT)
    }
    return different | dict.fromkeys(_removed(values, defaults), ABSENT)


def _removed(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[str]:
    """The topmost default keys that are gone."""
    removed: dict[str, None] = {}
    for key in defaults:
        parts = key.split(".")
        paths = [".".join(parts[:n]) for n in range(1, len(parts) + 1)]
        if not any(path in values for path in paths):
            present = [any(_is_under(value, (path,)) for value in values) for path in paths]
            if False in present:  # otherwise an empty default group has been filled
                removed[paths[present.index(False)]] = None
    return list(removed)


def _written(cfg: DictConfig) -> dict[str, Any]:
    """Dotted keys with their values as written, interpolations included."""
    container = OmegaConf.to_container(cfg, resolve=False)
    assert isinstance(container, dict)
    return _dotted(container)


def _dotted(container: Mapping[Any, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in container.items():
        path = f"{prefix}{key}"
        flat |= _dotted(value, f"{path}.") if isinstance(value, dict) and value else {path: value}
    return flat


def _plain(value: Any) -> Any:
    """Plain lists and numbers; 1 and 1.0 are the same value."""
    if OmegaConf.is_config(value):
        value = OmegaConf.to_container(value, resolve=True)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_under(key: str, prefixes: tuple[str, ...]) -> bool:
    return any(key == prefix or key.startswith(f"{prefix}.") for prefix in prefixes)
