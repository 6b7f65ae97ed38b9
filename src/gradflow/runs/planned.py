"""The composed configuration of a run, as it was planned: in the run folder, in Hydra's own form."""

from pathlib import Path

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from gradflow.errors import ConfigError
from gradflow.runs import folders

# What every version's configuration has, the last line of the file included.
_NEEDED = ("seed", "activation", "model", "init", "data", "optimizer", "trainer", "logger")


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
