"""One run, from its configuration to a finished run folder: who holds the folder, where to start, how it ended."""

import logging
import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, read_write

from gradflow import terminal
from gradflow.runs import folders, identity, metrics
from gradflow.runs.logger import rewind
from gradflow.runs.record import DONE, Clock, State, error_entry, read_record, write_record
from gradflow.training import train

log = logging.getLogger(__name__)


def run(cfg: DictConfig, folder: Path, *, position: str = "run 1/1") -> dict[str, Any]:
    """Train and test one configuration in its folder; returns the final run.json.

    Args:
        cfg: the composed configuration.
        folder: the run folder, planned before.
        position: which run of the sweep this is, as it is shown.

    Raises:
        Exception: whatever the training raised, after it has been written to run.json and train.log. A run that
            diverges is a result and raises nothing.
    """
    terminal.configure()
    folder.mkdir(parents=True, exist_ok=True)
    with _lock(folder) as mine:
        if not mine:
            terminal.say(f"{folder}: another process is training this run; left to it", style="yellow")
            return read_record(folder) or {}
        present = read_record(folder)
        if present is not None and present["state"] in DONE:
            terminal.say(f"{folder}: another process has trained this run meanwhile", style="yellow")
            return present
        record = _start(cfg, folder)
        resume = _resume_point(folder, record)
        handler = terminal.log_to(folder / folders.LOG_FILE)
        clock = Clock(after=record["duration_s"] if resume else None)
        started = record["started"] if resume else clock.started
        record |= {"state": State.RUNNING, "started": started, "attempts": record["attempts"] + 1}
        try:
            with _ctrl_c():
                record |= train(cfg, folder, record, resume, position=position)
        except Exception as error:
            log.exception("the run failed")
            record |= {"state": State.FAILED, "error": error_entry(error)}
            raise
        except BaseException as error:
            record |= {"state": State.INTERRUPTED, "error": error_entry(error)}
            raise
        finally:
            record |= clock.stop()
            write_record(folder, record)
            terminal.stop_logging(handler)
        _say_result(record, position)
        return record


@contextmanager
def _lock(folder: Path) -> Iterator[bool]:
    """Whether this process holds the run folder; another one may be training it."""
    lock = FileLock(folder / folders.LOCK_FILE)
    try:
        lock.acquire(timeout=1)  # seconds; a look at the study's status holds it for a moment
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _start(cfg: DictConfig, folder: Path) -> dict[str, Any]:
    """The record of the run before this attempt, checked to be this configuration's."""
    record = read_record(folder)
    assert record is not None, f"{folder} was not planned"
    assert record["config_hash"] == identity.config_hash(cfg), f"{folder} belongs to another configuration"
    _write_hydra_folder(cfg, folder / folders.HYDRA_FOLDER, overrides=record["overrides"])
    return record | {"metrics": {}, "error": None}


def _resume_point(folder: Path, record: dict[str, Any]) -> Path | None:
    """The checkpoint to go on from: the last epoch's, of a run that was interrupted or killed.

    Without one, what an unfinished attempt left is cleared away: a run is a function of its configuration, so training
    again from the start writes the same curves.
    """
    last = folder / folders.CHECKPOINT_FOLDER / folders.LAST_CHECKPOINT
    if record["state"] in (State.RUNNING, State.INTERRUPTED) and last.exists():
        return last
    rewind(folder, {})
    shutil.rmtree(last.parent, ignore_errors=True)
    return None


def _write_hydra_folder(cfg: DictConfig, folder: Path, *, overrides: list[str]) -> None:
    """The composed configuration and overrides, in the form that Hydra itself writes."""
    folder.mkdir(exist_ok=True)
    OmegaConf.save(cfg, folder / "config.yaml")
    OmegaConf.save(OmegaConf.create(overrides), folder / "overrides.yaml")
    if HydraConfig.initialized():
        hydra = OmegaConf.create({"hydra": HydraConfig.get()})
        with read_write(hydra.hydra):
            hydra.hydra.overrides.task = overrides  # another run of the job may have had others
        OmegaConf.save(hydra, folder / "hydra.yaml")


@contextmanager
def _ctrl_c() -> Iterator[None]:
    """Raise KeyboardInterrupt at Ctrl-C, which Lightning answers with exit(1)."""
    try:
        yield
    except SystemExit as error:
        if error.code == 1:  # an exit by any other signal keeps its own status
            raise KeyboardInterrupt from error
        raise


def _say_result(record: dict[str, Any], position: str) -> None:
    final = record["metrics"]
    parts = [record["state"]]
    precise = metrics.precise_bn(metrics.of_last_epoch(record["headline"]))
    for tag in dict.fromkeys(
        (record["headline"], precise, metrics.DECADES_PER_LAYER, metrics.unit_tag(metrics.DEAD_UNITS, "total"))
    ):
        value = final.get(tag)
        if value is not None and math.isfinite(value):
            parts.append(f"{tag} {value:.3f}")
    terminal.say(f"  {position}: {', '.join(parts)} in {record['duration_s']:.1f} s")
