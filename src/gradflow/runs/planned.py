"""The composed configuration of a run, as it was planned: in the run folder, in Hydra's own form."""

import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from gradflow.errors import ConfigError
from gradflow.runs import durable, folders

# What every version's configuration has, the last line of the file included.
_NEEDED = ("seed", "activation", "model", "init", "data", "optimizer", "trainer", "logger")


def as_text(cfg: DictConfig) -> str:
    """The configuration as YAML, every reference in it replaced by its value: the same wherever it is read.

    Raises:
        OmegaConfBaseException: if a reference has no value.
    """
    text = OmegaConf.to_yaml(cfg, resolve=True)
    if "${" not in text:
        return text
    return OmegaConf.to_yaml(OmegaConf.create(_literal(OmegaConf.to_container(cfg, resolve=True))))


def of_seed(text: str, seed: int) -> str:
    """The same configuration with another seed: dumping YAML takes longer than all else that a seed needs."""
    return re.sub(r"(?m)^seed: .*$", f"seed: {seed}", text, count=1)


def write_planned(folder: Path, text: str, overrides: Sequence[str]) -> None:
    """Replace the configuration of a run folder, each file atomically.

    It is on the disk when the run starts, not yet now: for a sweep of thousands, waiting for the disk takes longer than
    planning, and the same command writes again what a power cut took.

    Args:
        folder: the run folder.
        text: as `as_text` returns it.
        overrides: those of the command line, beside it as Hydra has them.

    Raises:
        CannotWrite: if they cannot be written; then the old ones stay.
    """
    hydra_folder = folder / folders.HYDRA_FOLDER
    durable.make_folder(hydra_folder)
    files = {folders.OVERRIDES_FILE: "".join(map(_line, overrides)) or "[]\n", folders.CONFIG_FILE: text}
    for name, content in files.items():
        with durable.replacing(hydra_folder / name, synced=False) as file:
            file.write(content.encode())


@functools.cache
def _line(override: str) -> str:
    """An override as a line of Hydra's overrides.yaml."""
    return OmegaConf.to_yaml(OmegaConf.create([override]))


def planned_configuration(folder: Path) -> DictConfig:
    """The configuration that the run of this folder was planned with.

    The only place where the configuration of a run folder is read. It may come from somebody else's machine: it is
    text, of which nothing is imported here.

    Raises:
        ConfigError: if the file is missing or damaged.
    """
    file = folder / folders.HYDRA_FOLDER / folders.CONFIG_FILE
    try:
        cfg = OmegaConf.load(file)
        OmegaConf.to_container(cfg, resolve=True)  # raises what a value refers to in vain
    except FileNotFoundError as error:
        raise ConfigError(f"{file}: missing; give the command that planned this run again") from error
    except (OSError, ValueError, RecursionError, yaml.YAMLError, OmegaConfBaseException) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ConfigError(f"{file}: damaged ({reason}); give the command that planned this run again") from error
    if not isinstance(cfg, DictConfig) or any(key not in cfg for key in _NEEDED):
        raise ConfigError(f"{file}: damaged (not a run's configuration); give the command that planned this run again")
    return cfg


def _literal(value: Any) -> Any:
    """Texts written so that what looks like a reference in them is none."""
    if isinstance(value, dict):
        return {key: _literal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_literal(item) for item in value]
    return re.sub(r"(\\*)\$\{", r"\1\1\\${", value) if isinstance(value, str) else value
