"""The folder of a run: who holds it, what its record says, where to resume."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, read_write

from gradflow.errors import ConfigError
from gradflow.runs import content, folders, identity
from gradflow.runs.logger import rewind
from gradflow.runs.record import IDENTITY, Record, State, read_record
from gradflow.training import build


@contextmanager
def lock(folder: Path) -> Iterator[bool]:
    """Whether this process holds the run folder; another one may be training it."""
    lock = FileLock(folder / folders.LOCK_FILE)
    try:
        lock.acquire(timeout=1)  # seconds; the status command holds it for a moment
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def start(cfg: DictConfig, folder: Path) -> Record:
    """The record of the run before this attempt, after a check that it belongs to this configuration.

    Raises:
        ConfigError: if the configuration, or the content of what it names, has changed since the run was planned.
    """
    record = read_record(folder)
    assert record is not None, f"{folder} was not planned"
    has_batch_norm = build.has_batch_norm(cfg, build.data(cfg))
    counted = identity.counted(identity.whole(cfg), has_batch_norm=has_batch_norm)
    if (record["identity"], record["config_hash"]) != (IDENTITY, identity.digest(counted)):
        raise ConfigError(f"study={cfg.study}: {folder} was planned with another configuration; give the command again")
    if changed := content.changed(record["content"], content.content(counted)):
        raise ConfigError(f"{changed[0]}: what it names has changed since {folder} was planned; give the command again")
    _write_hydra_settings(folder / folders.HYDRA_FOLDER, overrides=record["overrides"])
    return record | {"metrics": {}, "error": None}


def resume_point(folder: Path, record: Record) -> Path | None:
    """The checkpoint to resume from: the last epoch's, of a run that was interrupted or killed.

    Without one, what an unfinished attempt left is cleared away: a run is a function of its configuration, so training
    again from the start writes the same curves.
    """
    last = folder / folders.CHECKPOINT_FOLDER / folders.LAST_CHECKPOINT
    if record["state"] in (State.RUNNING, State.INTERRUPTED) and last.exists():
        return last
    rewind(folder, {})
    shutil.rmtree(last.parent, ignore_errors=True)
    return None


def _write_hydra_settings(folder: Path, *, overrides: list[str]) -> None:
    """Hydra's own settings of the job, in the form that Hydra itself writes."""
    if HydraConfig.initialized():
        folder.mkdir(exist_ok=True)
        hydra = OmegaConf.create({"hydra": HydraConfig.get()})
        with read_write(hydra.hydra):
            hydra.hydra.overrides.task = overrides  # Hydra knows those of the whole sweep
        OmegaConf.save(hydra, folder / "hydra.yaml")
