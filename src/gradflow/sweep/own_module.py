"""`module=custom`: a LightningModule of the user's own takes the place of whole groups and of knobs.

What it does not take has no effect, so that it is refused if it is typed, and otherwise emptied before anything looks
at the configuration: it is no part of a run's identity, shown nowhere and checked nowhere.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict

from gradflow.errors import ConfigError
from gradflow.models import signature
from gradflow.runs import identity
from gradflow.training import own_module

GROUPS = ("model", "init", "schedule")  # the module has its own
UNLESS_TAKEN = ("activation", "optimizer")  # groups that count if its constructor takes them, as do blocks and width
SETTINGS = ("output", "batch_norm", "batch_norm_samples", "steps_per_execution", "compile")  # of gradflow's module
STUDY = "${data.name}_${model.name}"  # of conf/train.yaml; there is no model

Compose = Callable[[list[str]], tuple[DictConfig, dict[str, Any]]]


def adapted(cfg: DictConfig, choices: Mapping[str, Any], overrides: Sequence[str]) -> DictConfig:
    """The configuration of a run without what its module does not take; as it is for gradflow's own module.

    Args:
        cfg: as composed; it is changed.
        choices: the option chosen in each group.
        overrides: those that made it.

    Raises:
        ConfigError: if something is typed that has no effect.
    """
    if not own_module.is_own(cfg) or (unused := _unused(cfg)) is None:
        return cfg
    _check_typed(cfg, overrides, unused)
    _empty(cfg, unused)
    if choices.get("data") == "custom" and own_module.has_own_data(cfg):
        _leave_out_defaults(cfg, overrides)
    if OmegaConf.to_container(cfg, resolve=False)["study"] == STUDY:  # type: ignore[index, call-overload]
        cfg.study = f"{identity.label(cfg.data)}_{identity.label(cfg.module)}"
    return cfg


def adapted_defaults(cfg: DictConfig, compose: Compose) -> Compose:
    """Composes what a run is compared with, emptied as the run is."""
    if not own_module.is_own(cfg) or (unused := _unused(cfg)) is None:
        return compose

    def composed(overrides: list[str]) -> tuple[DictConfig, dict[str, Any]]:
        found, choices = compose(overrides)
        found = found.copy()
        _empty(found, unused)
        found.study = cfg.study
        with open_dict(found):
            for key in [key for key in found.data if key not in cfg.data]:
                del found.data[key]
        return found, choices

    return composed


def _unused(cfg: DictConfig) -> list[str] | None:
    """The groups and knobs that the module does not take; None if it cannot be imported, which is refused later."""
    try:
        takes = signature.arguments(str(cfg.module.get(own_module.TARGET)))
        own_module.has_own_data(cfg)
    except Exception:
        return None
    return [*GROUPS, *(one for one in (*UNLESS_TAKEN, *signature.KNOBS) if one not in takes)]


def _check_typed(cfg: DictConfig, overrides: Sequence[str], unused: Sequence[str]) -> None:
    label = identity.label(cfg.module)
    for one in overrides:
        key = one.partition("=")[0].lstrip("+~")
        head = key.partition(".")[0]
        if head in GROUPS or head in SETTINGS:
            raise ConfigError(f"{one}: no effect with module=custom, as {label} has its own; leave it out")
        if head in unused:
            raise ConfigError(
                f"{one}: no effect, as {label} takes no `{head}`; leave it out, or add it to its __init__"
            )
        if key.startswith("module.") and key.split(".")[1] in own_module.OFFERED[: -len(own_module.OF_THE_DATA)]:
            name = key.split(".")[1]
            raise ConfigError(f"{one}: set the knob itself, {name}=...")


def _empty(cfg: DictConfig, unused: Sequence[str]) -> None:
    for key in unused:
        cfg[key] = None if key in signature.KNOBS else {}


def _leave_out_defaults(cfg: DictConfig, overrides: Sequence[str]) -> None:
    """Without the options of data=custom, which are for arrays: the data module has defaults of its own."""
    typed = {one.partition("=")[0].lstrip("+~").removeprefix("data.") for one in overrides}
    with open_dict(cfg):
        for key in [key for key in cfg.data if key not in typed | {"name", own_module.TARGET}]:
            del cfg.data[key]
