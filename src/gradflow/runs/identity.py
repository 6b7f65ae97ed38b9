"""Which runs are the same: a hash of what determines a result, and the folder name that shows it.

Two runs share a folder exactly when what counts of their resolved configurations is equal. What changes a result by
rounding at most (device, launcher) or not at all (logger, output paths, monitors that only measure) does not count. The
content of data files and code of your own counts too: see `gradflow.runs.content`.

A change of this rule, or of code that alters an unchanged configuration's result, raises `runs.record.IDENTITY`.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf

# Prefixes of dotted keys that do not count. Everything else does, including keys yet to be invented.
NOT_COUNTED = (
    "hydra",
    "study",
    "headline",
    "output_dir",
    "rerun",
    "resume",
    "trust",
    "data_dir",
    "logger",
    "threads",
    "runs_per_job",
    "steps_per_execution",
    "compile",
    "activation.inplace",
    "optimizer.fused",
    "trainer.accelerator",
    "trainer.devices",
    "trainer.num_nodes",
    "trainer.profiler",
    "trainer.strategy",
    "trainer.sync_batchnorm",
    "trainer.max_time",
)
LENGTH = ("trainer.max_epochs", "trainer.max_steps")  # how long to train; a longer run begins as a shorter one does
CALLBACKS = "callbacks"  # those that only measure do not count
BATCH_NORM = ("batch_norm", "batch_norm_samples")  # count only where the network has batch normalisation
CUSTOM = "custom"  # the option of a group for a class of the user's own, which is shown by the class's name
MODULE = "module"  # counts only where it is the user's own, whose class its option names
NAMES_ONLY = (f"{MODULE}.higher", f"{MODULE}.lower")  # which of two values is better, for those who compare
AXES = ("activation", "blocks", "seed")  # shown first, in their own form
_OF_OTHER_KEYS = re.compile(r"\$\{(?![^{}]*\bseed\b)(oc\.env:[^${}]*|[\w.\[\]]*)\}")  # references but those to a seed
ABSENT = "absent"  # shown for a default key that was removed (~key)


def whole(cfg: DictConfig) -> dict[str, Any]:
    """The whole resolved configuration, as dotted keys with plain values; None where a value is missing."""
    container = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=False)
    assert isinstance(container, dict)
    return {key: None if value == "???" else _plain(value) for key, value in _dotted(container).items()}


def counted(values: Mapping[str, Any], *, has_batch_norm: bool) -> dict[str, Any]:
    """What determines the result.

    Args:
        values: a whole configuration, whose `_target_`s can be imported.
        has_batch_norm: whether the network that it builds has batch normalisation.
    """
    left_out = (*NOT_COUNTED, *NAMES_ONLY, *_passive_callbacks(values), *(() if has_batch_norm else BATCH_NORM))
    left_out = left_out if f"{MODULE}._target_" in values else (*left_out, MODULE)
    return {
        key: value
        for key, value in values.items()
        if key != CALLBACKS and not _is_under(key, left_out) and not key.endswith(".data_dir")
    }


def digest(values: Mapping[str, Any]) -> str:
    """SHA-256 of dotted keys and their values."""
    texts = json.loads(json.dumps(values))  # keys of different types cannot be sorted
    canonical = json.dumps(texts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def begins_alike(values: Mapping[str, Any], counted_values: Mapping[str, Any]) -> dict[str, Any]:
    """What counts, and what decides which curves are written: a longer run takes over those of a shorter one.

    Args:
        values: a whole configuration.
        counted_values: what counts of it.
    """
    return {**counted_values, **{key: value for key, value in values.items() if _is_under(key, (CALLBACKS, "logger"))}}


def length(cfg: DictConfig, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that say how long to train: those of `LENGTH`, and those that follow them by an interpolation."""
    written = _written(cfg)
    references = [f"${{{key}}}" for key in LENGTH]
    return {
        key: value
        for key, value in values.items()
        if key in LENGTH or any(reference in str(written.get(key)) for reference in references)
    }


def may_follow_seed(cfg: DictConfig) -> bool:
    """Whether a value may refer to the seed: in doubt, such as of a reference within another, yes."""
    texts = [str(value) for value in _written(cfg).values() if "${" in str(value)]
    return any("${" in _OF_OTHER_KEYS.sub("", text) for text in texts)


def _passive_callbacks(values: Mapping[str, Any]) -> list[str]:
    """The keys of callbacks that cannot change training: monitors that do not say they do, and those switched off."""
    found = []
    for key in {".".join(key.split(".")[:2]) for key in values if key.startswith(f"{CALLBACKS}.")}:
        target = values.get(f"{key}._target_")
        is_off = key in values and values[key] is None
        if is_off or (target is not None and getattr(get_object(target), "changes_training", True) is False):
            found.append(key)
    return found


def activation_label(cfg: DictConfig) -> str | None:
    """The activation's `name`, or its class's name if it has none; None where no activation is made."""
    return label(cfg.activation) if cfg.activation else None


def label(node: DictConfig) -> str:
    """The `name` of a group's option, or its class's name if it has none of its own."""
    name = node.get("name")
    return name if name not in (None, CUSTOM) else str(node.get("_target_")).rpartition(".")[2]


def study_axes(
    cfg: DictConfig,
    choices: Mapping[str, str | None],
    compose: Callable[[list[str]], tuple[DictConfig, dict]],
    *,
    has_batch_norm: bool,
) -> dict[str, Any]:
    """What distinguishes a configuration from the others in its study: activation, blocks, then all non-default values.

    Args:
        cfg: the composed configuration of one run.
        choices: config group -> the option that the run chose.
        compose: overrides -> (configuration, choices); called for the study's defaults.
        has_batch_norm: whether the network has batch normalisation.

    Returns:
        Axis -> value, in the order in which they are shown; `seed` is not among them.
    """
    experiment = choices.get("experiment")
    preset = [f"experiment={experiment}"] if experiment else []
    default, default_choices = compose(preset)
    changed = {
        group: option
        for group, option in choices.items()
        # An option of `trainer` says where to train rather than how; the keys that count are shown one by one.
        if "/" not in group and option != default_choices.get(group) and not _is_under(group, (*NOT_COUNTED, "trainer"))
    }
    if CALLBACKS in changed:
        of_option, _ = compose([*preset, f"{CALLBACKS}={changed[CALLBACKS]}"])
        added = counted_callbacks(of_option) - counted_callbacks(default)
        if not added or not added <= counted_callbacks(cfg):
            del changed[CALLBACKS]
    reference, _ = compose([*preset, *(f"{group}={option}" for group, option in changed.items())])
    leading = {"activation": activation_label(cfg), "blocks": cfg.blocks}
    shown: dict[str, Any] = {axis: value for axis, value in leading.items() if value is not None}
    shown |= {group: option for group, option in changed.items() if group != "activation"}
    hidden = [*AXES, *(["width"] if cfg.width is None else [])]  # the width of a network that takes none
    for group in ("activation", MODULE):
        hidden += [f"{group}.name", *([f"{group}._target_"] if cfg.get(group, {}).get("name") is None else [])]
    for group in (group for group in ("model", "data", MODULE) if changed.get(group) == CUSTOM):
        shown[group] = label(cfg[group])
        hidden += [f"{group}._target_"]
    different = _differences(cfg, reference, has_batch_norm=has_batch_norm)
    return shown | {key: value for key, value in different.items() if key not in hidden}


def counted_callbacks(cfg: DictConfig) -> set[str]:
    """The names of the callbacks that may change training."""
    values = counted(whole(cfg), has_batch_norm=False)
    return {key.split(".")[1] for key in values if key.startswith(f"{CALLBACKS}.")}


def _differences(cfg: DictConfig, reference: DictConfig, *, has_batch_norm: bool) -> dict[str, Any]:
    """Values that differ from the reference, in its order, then new keys by name, then the removed ones.

    A value that follows another by the same interpolation as in the reference is left out.
    """
    values, defaults = (counted(whole(one), has_batch_norm=has_batch_norm) for one in (cfg, reference))
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
