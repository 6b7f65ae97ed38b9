"""Whose code a resumed study may run: see `gradflow.training.targets`."""

from pathlib import Path

from omegaconf import DictConfig

from gradflow.errors import ConfigError, shown
from gradflow.training.targets import check_trusted, named_in


def check_resumed(cfg: DictConfig, folder: Path, *, command: DictConfig) -> None:
    """Refuse a configuration from a run folder that names code which neither the package nor the user's conf names.

    Args:
        cfg: what is going to be built.
        folder: where it was read.
        command: what Hydra composed for the command, which says where the user's configuration folders are, and whether
            the folder is to be trusted.

    Raises:
        ConfigError: naming the folder, the key and the target, and `trust=true`.
    """
    if not isinstance(command.trust, bool):
        raise ConfigError(f"trust={shown(command.trust)}: choose true or false")
    if not command.trust:
        sources = command.hydra.runtime.config_sources
        own = named_in([Path(source.path) for source in sources if source.schema == "file"])
        check_trusted(cfg, where=folder, own=own, remedy="trust=true")
