"""Load a trained network from its run folder; its data are not needed."""

import logging
import os
import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from omegaconf import DictConfig, OmegaConf, open_dict
from torch import nn

from gradflow import config_folders
from gradflow.callbacks.precise_batch_norm import recomputed_statistics
from gradflow.data.datamodule import ArrayDataModule
from gradflow.data.preparation import Preparation, stored_preparation
from gradflow.errors import ConfigError
from gradflow.measure.batch_norm import apply_statistics
from gradflow.runs import content, folders, identity
from gradflow.runs.planned import planned_configuration
from gradflow.runs.record import IDENTITY, Record, State, read_record
from gradflow.training import build, own_module
from gradflow.training.architecture import architecture
from gradflow.training.checkpoints import saved
from gradflow.training.instantiation import cause
from gradflow.training.targets import TARGET, check_trusted, named_in
from gradflow.training.trained_network import TrainedNetwork

log = logging.getLogger(__name__)

Epoch = Literal["best", "last"]
NETWORK_GROUPS = ("activation", "model")  # what of a configuration makes a network
DATA_GROUP = "data"
EXAMPLE = "outputs/digits_conv/activation=relu,blocks=4/seed=0"
_PREFIX = "network."  # of the weights in a checkpoint
# What torch raises for files that are no checkpoint, or part of one, or hold more than tensors and plain values.
_DAMAGED = (RuntimeError, pickle.UnpicklingError, EOFError, OSError, ValueError, LookupError, TypeError, AttributeError)


@dataclass(frozen=True)
class TrainedRun:
    """A run folder that holds a trained network: the folder, its run.json, its configuration."""

    folder: Path
    record: Record
    cfg: DictConfig


def load_network(
    run: str | Path, *, epoch: Epoch = "best", device: str | torch.device = "cpu", trust: bool = False
) -> TrainedNetwork:
    """The network of a run, in evaluation mode, as it was tested.

    Where evaluation recomputed batch normalisation's statistics, they are those of the epoch's validation.

    Args:
        run: the run folder, e.g. `outputs/digits_conv/activation=relu,blocks=4/seed=0`.
        epoch: `best`, the epoch that validation chose, whose test score is `test/acc_at_best`; or `last`.
        device: where to put it.
        trust: build it even if the folder names code that is neither gradflow's, torch's nor named in `conf`.

    Raises:
        ConfigError: if the folder has no trained network, is damaged, or names code that needs `trust`.
    """
    return network_of(trained_run(run), epoch=epoch, device=device, trust=trust, remedy="trust=True")


def trained_run(run: str | Path) -> TrainedRun:
    """What a run folder says of itself.

    Raises:
        ConfigError: if it is not the folder of a run that has been trained.
    """
    folder = Path(os.path.expandvars(run)).expanduser()
    record = read_record(folder)
    if record is None:
        raise ConfigError(_no_run(folder))
    if record["identity"] != IDENTITY:
        raise ConfigError(
            f"{folder}: of another version of gradflow (identity {record['identity']}, now {IDENTITY}), whose networks "
            "this one cannot build; train it again, in another study"
        )
    if record["state"] == State.DIVERGED:
        raise ConfigError(f"{folder}: diverged, so there is no trained network; choose another run")
    if not (folder / folders.CHECKPOINT_FOLDER / folders.LAST_CHECKPOINT).exists():
        raise ConfigError(f"{folder}: {record['state']}, without a checkpoint yet; train it first")
    cfg = planned_configuration(folder)
    if own_module.is_own(cfg):
        checkpoint = folders.best_checkpoint(folder)
        raise ConfigError(
            f"{folder}: trained with module=custom; load its module by {identity.label(cfg.module)}"
            f".load_from_checkpoint('{checkpoint}')"
        )
    return TrainedRun(folder, record, cfg)


def _no_run(folder: Path) -> str:
    if not folder.is_dir():
        return f"{folder}: no such folder; name a run folder, e.g. {EXAMPLE}"
    levels = ("", "*/", "*/*/", "*/*/*/")  # of a configuration, a study, outputs, the folder above
    inside = sorted(
        f.parent for up in levels for f in folder.glob(f"{up}{folders.seed_folder('*')}/{folders.RUN_FILE}")
    )
    return f"{folder}: not a run folder; name one, e.g. {inside[0] if inside else EXAMPLE}"


def network_of(
    run: TrainedRun, *, epoch: str, device: str | torch.device = "cpu", trust: bool, remedy: str
) -> TrainedNetwork:
    """The network of a run; arguments as for `load_network`, and `remedy`: how its user says `trust`."""
    if epoch not in ("best", "last"):
        raise ConfigError(f"epoch={epoch}: choose best, the epoch that validation chose, or last")
    checkpoint = _checkpoint(run.folder, epoch)
    if not trust:
        check_trusted(
            run.cfg, where=run.folder, own=named_in(config_folders.folders()), remedy=remedy, groups=NETWORK_GROUPS
        )
    with _building(run, "network"):
        known = stored_preparation(checkpoint)
    if known is None:  # written by a version that did not store it
        data, _ = data_of(run, trust=trust, remedy=remedy)
        known = data.preparation
    with _building(run, "network"):
        network = TrainedNetwork(_built(run, known, checkpoint), known, cfg=run.cfg, epoch=checkpoint["epoch"] + 1)
    _warn(run, checkpoint)
    try:
        return network.to(device)
    except (RuntimeError, AssertionError) as error:  # no such device, or torch cannot use it
        raise ConfigError(f"device={device}: cannot be used ({str(error).splitlines()[0]}); use cpu") from error


def data_of(
    run: TrainedRun, *, trust: bool, remedy: str, changes: Mapping[str, Any] | None = None
) -> tuple[ArrayDataModule, DictConfig]:
    """The data set that a run was trained on, perhaps with changed options, and its configuration.

    Args:
        run: the run.
        trust: as for `load_network`.
        remedy: how the user says `trust`.
        changes: values that the user gives, by dotted key; the targets among them are the user's own.

    Raises:
        ConfigError: if it cannot be built, names code that needs `trust`, or has changed since.
    """
    changes = changes or {}
    cfg = run.cfg.copy()
    with open_dict(cfg):
        for key, value in changes.items():
            OmegaConf.update(cfg, key, value, merge=True)
    if not trust:
        own = {
            *named_in(config_folders.folders()),
            *(str(value) for key, value in changes.items() if key.endswith(TARGET)),
        }
        check_trusted(cfg, where=run.folder, own=own, remedy=remedy, groups=(DATA_GROUP,))
    with _building(run, "data set"):
        data = build.data(cfg)
        _ = data.arrays
    if not changes and (changed := _changed(run, DATA_GROUP)):
        raise ConfigError(
            f"{changed[0]}: what it names has changed since {run.folder} was trained; name the data to use, e.g. "
            "data=npz data.path=FILE.npz"
        )
    return data, cfg.data


@contextmanager
def _building(run: TrainedRun, what: str) -> Iterator[None]:
    """Any error in code of the user's own becomes one line."""
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:
        reason = " ".join(str(cause(error)).split())
        raise ConfigError(f"{run.folder}: its {what} cannot be built ({reason})") from error


def _changed(run: TrainedRun, *groups: str) -> list[str]:
    """The keys of these groups whose files have changed since the run was trained."""
    before = {key: digest for key, digest in run.record["content"].items() if key.split(".")[0] in groups}
    values = {
        key: value
        for key, value in identity.whole(run.cfg).items()
        if any(one == key or one.startswith(f"{key}.") for one in before)
    }
    return content.changed(before, content.content(values))


def _warn(run: TrainedRun, checkpoint: dict[str, Any]) -> None:
    for key in _changed(run, *NETWORK_GROUPS):
        log.warning("%s: its file has changed since %s was trained: other code, perhaps other outputs", key, run.folder)
    if run.record["state"] != State.FINISHED:
        log.warning(
            "%s: %s; this is its network after epoch %d", run.folder, run.record["state"], checkpoint["epoch"] + 1
        )


def _checkpoint(folder: Path, epoch: str) -> dict[str, Any]:
    """The checkpoint whose test score is that of the best epoch or the last one."""
    last = _read(folder / folders.CHECKPOINT_FOLDER / folders.LAST_CHECKPOINT)
    if epoch == "last" or last["gradflow"]["best_epoch"] in (0, last["epoch"] + 1):
        return last
    return _read(folder / folders.CHECKPOINT_FOLDER / folders.BEST_CHECKPOINT)


def _read(file: Path) -> dict[str, Any]:
    try:
        checkpoint = saved(file)
        complete = isinstance(checkpoint["epoch"], int) and isinstance(checkpoint["gradflow"]["best_epoch"], int)
        complete = complete and isinstance(checkpoint["state_dict"], dict) and isinstance(checkpoint["callbacks"], dict)
    except FileNotFoundError as error:
        raise ConfigError(f"{file}: missing; train that run again with rerun=true") from error
    except _DAMAGED as error:
        raise ConfigError(_damaged(file, type(error).__name__)) from error
    if not complete:
        raise ConfigError(_damaged(file, "no checkpoint of gradflow"))
    return checkpoint


def _damaged(file: Path, reason: str) -> str:
    return f"{file}: damaged ({reason}); train that run again with rerun=true"


def _built(run: TrainedRun, known: Preparation, checkpoint: dict[str, Any]) -> nn.Module:
    """The network with the weights of a checkpoint, and the statistics by which they were validated."""
    with torch.random.fork_rng(devices=[]):  # the caller's random numbers are none of ours
        network = architecture(run.cfg, known)
    if build.PRECISIONS[str(run.cfg.precision)] == "64-true":
        network.double()
    state = checkpoint["state_dict"]
    weights = {name.removeprefix(_PREFIX): value for name, value in state.items() if name.startswith(_PREFIX)}
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise ConfigError(
            f"{run.folder}: its checkpoint does not fit its configuration; train it again with rerun=true"
        ) from error
    apply_statistics(network, recomputed_statistics(checkpoint))
    return network
