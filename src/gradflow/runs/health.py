"""When a run's gradients and units count as unhealthy, and what helps: for its warnings and for a study's advice.

`conf/callbacks/health_warnings.yaml` repeats the thresholds, so that a run's warnings can use others.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gradflow.runs import tags

VANISHING_RATIO = 1e-3  # a hidden layer's grad_rms over the largest layer's, averaged over an epoch
EXPLODING_NORM = 1e3  # grad_norm/total, averaged over an epoch
DEAD_FRACTION = 0.2  # of a layer's units
LAG = 0.1  # of an accuracy with running averages, behind that with recomputed statistics or that of the epoch before

FEWER_BLOCKS = "fewer blocks"
VANISHING_REMEDIES = ("activation=relu", "init=he", "model.norm=batch", "model.residual=true", FEWER_BLOCKS)
EXPLODING_REMEDIES = ("a lower optimizer.lr", "trainer.gradient_clip_val=1", "init=he", "model.norm=batch")
DEAD_REMEDIES = ("activation=leaky_relu", "init=he", "a lower optimizer.lr", "model.norm=batch")
# The same for a module that no configuration describes.
VANISHING_IN_GENERAL = ("ReLU", "He initialisation", "normalisation", "residual connections", "fewer layers")
EXPLODING_IN_GENERAL = ("a lower learning rate", "gradient clipping", "He initialisation", "normalisation")
DEAD_IN_GENERAL = ("leaky ReLU", "He initialisation", "a lower learning rate", "normalisation")

_OVERRIDE = re.compile(r"([\w.]+)=(\S+)")  # other remedies are words
_SETTING = re.compile(r"(\w+)\.\w+")  # that words name: a lower optimizer.lr
_NOT_TAKEN: dict[str | None, tuple[str, ...]] = {"vit": ("model.norm=batch",)}  # its normalisation is that of layers


def open_remedies(remedies: Sequence[str], config: Mapping[str, Any]) -> tuple[str, ...]:
    """The remedies that would change something.

    Args:
        remedies: overrides of train.py, or words.
        config: the composed one; if it is empty (unknown), every remedy is open.

    Returns:
        All except overrides that the configuration already has, and settings that its network or module lacks.
    """
    return tuple(remedy for remedy in remedies if not config or _is_open(remedy, config))


def _is_open(remedy: str, config: Mapping[str, Any]) -> bool:
    if remedy == FEWER_BLOCKS:
        return "blocks" not in config or config["blocks"] is not None
    if remedy in _NOT_TAKEN.get((config.get("model") or {}).get("name"), ()):
        return False
    override, words = _OVERRIDE.fullmatch(remedy), _SETTING.search(remedy)
    if override is None:
        return words is None or config.get(words[1]) != {}  # emptied: the module takes no optimizer
    found = _setting(override[1], config)
    return found is not None and found.lower() != override[2].lower()


def _setting(key: str, config: Mapping[str, Any]) -> str | None:
    """The value at a dotted key, of a group its option's name; None if there is none, or only an emptied group."""
    value: Any = config
    for part in key.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    if isinstance(value, Mapping):
        return str(value.get("name")) if value else None
    return str(value)


def lag(final: Mapping[str, Any]) -> float | None:
    """How far batch normalisation's running averages put the last epoch's test accuracy below what its weights achieve.

    Args:
        final: the metrics of run.json, which has one of the two scores under `test/acc`.

    Returns:
        A difference of two fractions; None if either was not measured.
    """
    accuracy = tags.test(tags.ACC)
    scored = final.get(accuracy)
    pairs = (final.get(tags.running_bn(accuracy)), scored), (scored, final.get(tags.recomputed_bn(accuracy)))
    return next((better - worse for worse, better in pairs if worse is not None and better is not None), None)


def listed(remedies: Sequence[str]) -> str:
    """`a, b or c`."""
    *others, last = remedies
    return f"{', '.join(others)} or {last}" if others else last
