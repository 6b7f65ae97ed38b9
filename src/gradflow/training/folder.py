"""The folder of a run: who holds it, what its record says, where to resume."""

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, read_write

from gradflow.errors import ConfigError
from gradflow.runs import content, durable, folders, identity
from gradflow.runs.logger import rewind
from gradflow.runs.record import IDENTITY, Record, read_record
from gradflow.runs.states import goes_on
from gradflow.training import build, own_module
from gradflow.training.checkpoints import whole_checkpoint

log = logging.getLogger(__name__)


@contextmanager
def lock(folder: Path, *, wait_s: float = 1.0) -> Iterator[bool]:
    """Whether this process holds the run folder; another one may be training it.

    Args:
        folder: the run folder.
        wait_s: seconds; whoever plans or copies a run holds it for a moment.
    """
    lock = FileLock(folder / folders.LOCK_FILE)
    try:
        with durable.naming(folder / folders.LOCK_FILE):
            lock.acquire(timeout=wait_s)
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
    has_batch_norm = not own_module.is_own(cfg) and build.has_batch_norm(cfg, build.data(cfg))
    counted = identity.counted(identity.whole(cfg), has_batch_norm=has_batch_norm)
    if (record["identity"], record["config_hash"]) != (IDENTITY, identity.digest(counted)):
        raise ConfigError(f"study={cfg.study}: {folder} was planned with another configuration; give the command again")
    if changed := content.changed(record["content"], content.content(counted) | build.decay_rule(cfg)):
        raise ConfigError(f"{changed[0]}: what it names has changed since {folder} was planned; give the command again")
    with durable.naming(folder / folders.HYDRA_FOLDER):
        _write_hydra_settings(folder / folders.HYDRA_FOLDER, overrides=record["overrides"])
    durable.sync_tree(folder / folders.HYDRA_FOLDER)
    return record


def resume_point(folder: Path, record: Record) -> Path | None:
    """The checkpoint to resume from: the last complete epoch's, of a run that goes on (`runs.states.goes_on`).

    Without one that is whole, what an unfinished attempt left is cleared away: a run is a function of its
    configuration, so training again from the start writes the same curves.

    Args:
        folder: the run folder.
        record: as the attempt before this one left it.
    """
    for place in (folder, folder / folders.HYDRA_FOLDER, folder / folders.CHECKPOINT_FOLDER):
        durable.remove_parts(place)
    if goes_on(record):
        checkpoint, fault = whole_checkpoint(folder)
        if fault:
            where = "goes on from the best epoch" if checkpoint else "starts again"
            log.warning("%s: %s; training %s", folder, fault, where)
        if checkpoint is not None:
            return _as_last(checkpoint)
    rewind(folder, {})
    shutil.rmtree(folder / folders.CHECKPOINT_FOLDER, ignore_errors=True)
    return None


def _as_last(checkpoint: Path) -> Path:
    """The checkpoint in the place of the last epoch's, where a run that ends without a further epoch leaves it."""
    last = checkpoint.with_name(folders.LAST_CHECKPOINT)
    if checkpoint != last:
        with durable.replacing(last) as file:
            file.write(checkpoint.read_bytes())
    return last


def _write_hydra_settings(folder: Path, *, overrides: list[str]) -> None:
    """Hydra's own settings of the job, in the form that Hydra itself writes."""
    if HydraConfig.initialized():
        folder.mkdir(exist_ok=True)
        hydra = OmegaConf.create({"hydra": HydraConfig.get()})
        with read_write(hydra.hydra):
            hydra.hydra.overrides.task = overrides  # Hydra knows those of the whole sweep
        OmegaConf.save(hydra, folder / "hydra.yaml")
