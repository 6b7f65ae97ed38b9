"""A longer run starts from a copy of what a shorter one has left: its checkpoint, its curves, its best epoch.

The shorter one differs from it in nothing but how long it trains, so that the result is bit-identical to that of
training from the start. It is only read, and only while no process trains it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from tensorboard.plugins.hparams.metadata import PLUGIN_NAME

from gradflow import terminal
from gradflow.errors import ConfigError, shown
from gradflow.runs import folders, identity
from gradflow.runs.events import copy_events
from gradflow.runs.integrity import damaged_curves
from gradflow.runs.provenance import versions
from gradflow.runs.record import IDENTITY, Record, StartedFrom, read_record
from gradflow.runs.states import goes_on, is_over
from gradflow.training import build
from gradflow.training.checkpoints import DurableCheckpointIO, saved, whole_checkpoint
from gradflow.training.folder import lock

_COPIED_FROM = "copied_from"  # in a checkpoint that the run has not written itself: a `StartedFrom`
_ROUNDING = ("git_commit", "device", "threads")  # may change a result by rounding at most, and are said where they do
# Callbacks that change training, and do so in the same way however long it lasts.
_WHATEVER_LENGTH = ("lightning.pytorch.callbacks.EarlyStopping",)
_LIMITS = {"trainer.max_epochs": "epoch", "trainer.max_steps": "global_step"}  # what a checkpoint must not be beyond


def start_from_shorter(cfg: DictConfig, folder: Path, record: Record) -> Path | None:
    """Copy the longest shorter run of the same study, seed and configuration into an empty run folder.

    The checkpoint comes last: without it, what a crash leaves of a copy is cleared away like any other start.

    Args:
        cfg: the composed configuration of the longer run.
        folder: its folder, held by this process.
        record: its run.json.

    Returns:
        The checkpoint to resume from; None to start from the beginning. If a shorter run is there and of no use, one
        line says why.
    """
    if cfg.rerun or record["lengthless_hash"] is None or not _writes_known_curves(cfg):
        return None
    found: dict[Path, int] = {}
    reasons: list[str] = []
    for shorter, other in _relatives(folder, record):
        if (reason := _difference(cfg, record, other)) is None:
            with lock(shorter) as mine:
                if mine and (checkpoint := _usable(shorter, record)) is not None:
                    found[shorter] = checkpoint["epoch"]
        elif _epochs(other) <= _epochs(record) and folders.last_checkpoint(shorter).exists():
            reasons.append(f"not from where {shorter.relative_to(folder.parents[1])} ends: {reason}")
    for shorter in sorted(found, key=lambda one: found[one], reverse=True):
        with lock(shorter) as mine:
            if mine and (checkpoint := _usable(shorter, record)) is not None:
                return _copied(shorter, folder, checkpoint)
    if reasons:
        terminal.say(f"{folder}: trained from the start, {reasons[0]}")
    return None


def copied_from(checkpoint: Mapping[str, Any]) -> StartedFrom | None:
    """What a checkpoint was copied from; None if the run has written it itself."""
    found: StartedFrom | None = checkpoint["gradflow"].get(_COPIED_FROM)
    return found


def described(record: Record) -> str:
    """Where a run has started that started from a copy, and what the shorter run was trained with if not the same."""
    start, here = record["started_from"], record["provenance"]
    assert start is not None
    assert here is not None
    there = start["provenance"]
    different = ", ".join(f"{key} {there.get(key)}" for key in _ROUNDING if there.get(key) != here[key])
    return f"starts from epoch {start['epoch']} of {start['folder']}{f' (there: {different})' if different else ''}"


def _writes_known_curves(cfg: DictConfig) -> bool:
    """Whether the curves are where they can be copied from: in the run folder's event files, or nowhere."""
    return cfg.logger.get(build.TARGET) in (None, build.RECORD) and not build.further_loggers(cfg)


def _relatives(folder: Path, record: Record) -> Iterator[tuple[Path, Record]]:
    """The runs of the study that differ from this one in length alone and have got somewhere, with their records."""
    assert record["lengthless_hash"] is not None
    for file in sorted(folder.parents[1].glob(f"*/{folder.name}/{folders.RUN_FILE}")):
        # Reading is a tenth of parsing, and most runs of a large study are no relatives.
        if file.parent == folder or record["lengthless_hash"] not in file.read_text(errors="replace"):
            continue
        try:
            other = read_record(file.parent)
        except ConfigError:
            continue  # damaged, which the command's table has said
        if other is None or (other["config"], other["seed"]) != (file.parent.parent.name, record["seed"]):
            continue  # a copy of another run's folder
        same = (other["lengthless_hash"], other["identity"]) == (record["lengthless_hash"], IDENTITY)
        got_on = is_over(other) or goes_on(other)
        if same and got_on and other["content"] == record["content"] and damaged_curves(file.parent, other) is None:
            yield file.parent, other


def _epochs(record: Record) -> int:
    """How many are asked for."""
    return int((record["length"] or {})["trainer.max_epochs"])


def _difference(cfg: DictConfig, record: Record, other: Record) -> str | None:
    """Why a run does not begin as a shorter one did; None if it does."""
    for name in sorted(identity.counted_callbacks(cfg)):
        if cfg.callbacks[name].get("_target_") not in _WHATEVER_LENGTH:
            return f"callbacks.{name} may depend on how long training lasts"
    length, there = record["length"] or {}, other["length"] or {}
    for key in length.keys() - identity.LENGTH:
        if length[key] != there.get(key):
            return f"{key}={shown(there.get(key))} there, {shown(length[key])} here, because it follows the length"
    made_by = other["provenance"] or {}
    for name in ("torch", "lightning", "gradflow"):
        if made_by.get(name) != versions()[name]:
            return f"{name} {made_by.get(name)} there, {versions()[name]} here"
    return None


def _usable(shorter: Path, record: Record) -> dict[str, Any] | None:
    """The last checkpoint of a run, if it has one that this run could have written on its way."""
    last, _ = whole_checkpoint(shorter)
    if last is None:
        return None
    checkpoint = saved(last)
    done = checkpoint | {"epoch": checkpoint["epoch"] + 1}
    limits: Mapping[str, Any] = record["length"] or {}
    is_within = all(limits.get(key, -1) in (None, -1) or done[entry] <= limits[key] for key, entry in _LIMITS.items())
    return checkpoint if is_within else None


def _copied(shorter: Path, folder: Path, checkpoint: dict[str, Any]) -> Path:
    """Copy everything up to the checkpoint: neither test scores, nor what TensorBoard is told about the shorter run."""
    best = folders.best_checkpoint(shorter)
    if best.exists():
        _copy(shorter, folder, saved(best), best.name)
    return _copy(shorter, folder, checkpoint, folders.LAST_CHECKPOINT)


def _copy(shorter: Path, folder: Path, checkpoint: dict[str, Any], name: str) -> Path:
    """Copy a checkpoint after the curves up to it, of which it knows the sizes."""
    other = read_record(shorter)
    assert other is not None
    start: StartedFrom = {
        "folder": str(shorter.relative_to(folder.parents[1])),
        "epoch": checkpoint["epoch"] + 1,
        "provenance": other["provenance"] or {},
    }
    sizes = {
        file: copy_events(shorter / file, folder / file, size=size, without=PLUGIN_NAME)
        for file, size in checkpoint["gradflow"]["events"].items()
    }
    checkpoint["gradflow"] |= {"events": sizes, _COPIED_FROM: start}
    copy = folder / folders.CHECKPOINT_FOLDER / name
    DurableCheckpointIO().save_checkpoint(checkpoint, copy)
    return copy
