"""The data on which a run is tested: its own, or those of the command line."""

import inspect
from collections.abc import Sequence
from typing import Any

import hydra
import numpy as np
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import InstantiationException
from omegaconf import DictConfig, OmegaConf

from gradflow import CONF
from gradflow.data.datamodule import ArrayDataModule
from gradflow.data.preparation import Preparation
from gradflow.errors import ConfigError
from gradflow.runs.samples import TRAIN, read_samples
from gradflow.sweep import environment
from gradflow.training import build
from gradflow.training.instantiation import cause
from gradflow.training.load import TrainedRun, data_of

IDLE = ("batch_size", "pixel_range", "standardize")  # nothing is trained, and a network scales its inputs itself


def check_overrides(overrides: Sequence[str]) -> None:
    """Refuse overrides that choose no data.

    Raises:
        ConfigError: if one is a sweep, is without effect here, or deletes something.
    """
    for one in OverridesParser.create().parse_overrides(list(overrides)):
        if one.is_sweep_override() or one.is_delete() or one.package:
            raise ConfigError(f"{one.input_line}: give a key of the group data one value, e.g. data.path=FILE.npz")
        if one.key_or_group.removeprefix("data.") in IDLE:
            raise ConfigError(
                f"{one.input_line}: no effect, because a trained network takes its inputs as in training; leave it out"
            )


def chosen_data(run: TrainedRun, overrides: Sequence[str], *, trust: bool) -> tuple[ArrayDataModule, DictConfig]:
    """The data for a run, and their configuration: the run's own, with the values of the command line.

    With `data=OPTION` among the overrides it is that option of the user's own `conf` instead.

    Args:
        run: what is to be tested.
        overrides: of the group data, or of `data_dir`; checked.
        trust: build the run's own data set even if its folder names somebody else's code.

    Raises:
        ConfigError: if the data cannot be loaded.
    """
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    if not any(one.key_or_group == "data" for one in parsed):
        changes = {one.key_or_group: _expanded(one.key_or_group, one.value()) for one in parsed}
        if "data_dir" in changes and "data_dir" in run.cfg.data:
            changes["data.data_dir"] = changes["data_dir"]
        return data_of(run, trust=trust, remedy="--trust", changes=changes)
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = hydra.compose("train", overrides=list(overrides))
    environment.expand_paths(cfg)
    try:
        data = build.data(cfg)
        data.split  # noqa: B018 - reading it loads and splits the arrays
    except ConfigError:
        raise
    except (InstantiationException, TypeError, ValueError) as error:
        raise ConfigError(f"data={cfg.data.get('name')}: cannot be loaded: {cause(error)}") from error
    return data, cfg.data


def _expanded(key: str, value: Any) -> Any:
    is_path = key in environment.TEXTS and isinstance(value, str)
    return environment.expanded(key, value, home=key in environment.FOLDERS) if is_path else value


def rows_of(data: ArrayDataModule, part: str) -> np.ndarray:
    """The row numbers of a part: test, validation, train or all; int64."""
    return np.arange(len(data.arrays.y)) if part == "all" else getattr(data.split, part)


def check_fits(run: TrainedRun, known: Preparation, data: ArrayDataModule, name: str) -> None:
    """Refuse data for which a network was not made.

    Args:
        run: whose network it is.
        known: what the network knows of its training data.
        data: others.
        name: of these, for the message.

    Raises:
        ConfigError: naming what differs.
    """
    named = data.preparation.classes and known.classes  # numbers mean the same classes only under the same names
    theirs, own = (
        {
            "task": one.task,
            "shape of a sample": one.input_shape,
            "outputs": one.num_outputs,
            "white pixel": one.pixel_max,
            **({"classes": ", ".join(one.classes)} if named else {}),
        }
        for one in (data.preparation, known)
    )
    for what, value in theirs.items():
        if value != own[what]:
            raise ConfigError(
                f"data={name}: {what} {_said(value)}, but {_said(own[what])} for the network of {run.folder}; "
                "choose data like those it was trained on"
            )


def _said(value: object) -> str:
    return "none (the samples are numbers)" if value is None else str(value)


def trained_on(run: TrainedRun, data: ArrayDataModule, cfg: DictConfig, rows: np.ndarray) -> int:
    """How many of the rows the run was trained on, as far as its configuration tells: the same source and options."""
    samples = read_samples(run.folder)
    splitting = inspect.signature(ArrayDataModule).parameters.keys() - {"source", "source_options"}
    mine, theirs = (
        {key: value for key, value in OmegaConf.to_container(one, resolve=False).items() if key not in splitting}  # type: ignore[union-attr]
        for one in (run.cfg.data, cfg)
    )
    if samples is None or len(samples.parts) != len(data.arrays.y) or mine != theirs:
        return 0
    return int(np.count_nonzero(samples.parts[rows] & TRAIN))
