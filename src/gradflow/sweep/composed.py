"""A configuration as it was composed, and what all of its seeds share."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.errors import InstantiationException
from omegaconf import DictConfig, OmegaConf

from gradflow.data.datamodule import ArrayDataModule
from gradflow.errors import ConfigError
from gradflow.runs import content, folders, identity
from gradflow.runs.metrics import Metric
from gradflow.runs.record import Record, Resampled, planned_record
from gradflow.sweep.checks import objects, own_module
from gradflow.sweep.checks.own_dry_run import logged_by
from gradflow.training import build
from gradflow.training.instantiation import cause
from gradflow.training.own_module import has_own_data, is_own, learning_rate


@dataclass(frozen=True)
class Configuration:
    """What the seeds of one configuration share."""

    axes: dict[str, Any]
    data: ArrayDataModule | None  # None for a LightningDataModule of the user's own
    headline: str
    own_metrics: list[Metric]  # that the package does not list
    has_batch_norm: bool
    content: dict[str, str]
    length: dict[str, Any]


class Composed:
    """A composed configuration, read once for all seeds that share it.

    Attributes:
        cfg: the configuration.
        shared: tells it from others that differ in more than the seed.
    """

    def __init__(self, cfg: DictConfig) -> None:
        self.cfg = cfg
        self._values = identity.whole(cfg)
        self.shared = identity.digest(_without(self._values, ["seed"]))
        self._of_all: tuple[Record, dict[str, Any], dict[str, Any] | None] | None = None

    def record(self, configuration: Configuration, seed: int, overrides: Sequence[str]) -> Record:
        """The record of a run before its first attempt."""
        self._of_all = self._of_all or self._read(configuration)
        record, counted, lengthless = self._of_all
        of_seed = {"seed": seed}
        return record | {
            "seed": seed,
            "config_hash": identity.digest(counted | of_seed),
            "lengthless_hash": None if lengthless is None else identity.digest(lengthless | of_seed),
            "overrides": list(overrides),
        }

    def _read(self, configuration: Configuration) -> tuple[Record, dict[str, Any], dict[str, Any] | None]:
        """What the records of all seeds share, what counts, and what counts without the length."""
        cfg, data = self.cfg, configuration.data
        counted = identity.counted(self._values, has_batch_norm=configuration.has_batch_norm)
        # A module of the user's own may depend on how long it is trained, and nobody knows.
        as_long = None if is_own(cfg) else identity.begins_alike(self._values, counted)
        record = planned_record(
            study=cfg.study,
            config=folders.config_name(configuration.axes),
            config_hash="",
            content=configuration.content,
            length=configuration.length,
            axes=configuration.axes,
            seed=0,
            lr=learning_rate(cfg),
            headline=configuration.headline,
            selected_on="test" if data is not None and data.selected_on_test else "validation",
            declared_metrics=[metric.as_entry() for metric in configuration.own_metrics],
            resampled=_resampled(data) if cfg.resample_split else None,
        )
        return record, counted, None if as_long is None else _without(as_long, configuration.length)


def of_all_seeds(
    cfg: DictConfig, axes: Callable[..., dict[str, Any]], load: Callable[[str, bool, int], ArrayDataModule]
) -> Configuration:
    """What is computed once for all seeds of a configuration.

    Args:
        cfg: that of any of them.
        axes: called with `has_batch_norm=`, what distinguishes it from the others in its study.
        load: `load_data`, which may remember what it has loaded.
    """
    loaded = None
    if not (is_own(cfg) and has_own_data(cfg)):
        resampled_by = cfg.seed if cfg.resample_split else 0  # of a resampled split, any seed stands for all
        loaded = load(OmegaConf.to_yaml(cfg.data, resolve=True), cfg.resample_split, resampled_by)
    own_metrics = objects.own_metrics(cfg)
    if is_own(cfg):
        logged = logged_by(cfg)
        has_batch_norm = False
        headline = own_module.headline(cfg, logged, objects.monitored(cfg))
        own_metrics += own_module.metrics(cfg, logged)
    else:
        assert loaded is not None
        has_batch_norm = objects.has_batch_norm(cfg, loaded)
        headline = objects.headline(cfg, loaded)
    values = identity.whole(cfg)
    counted = identity.counted(values, has_batch_norm=has_batch_norm)
    length = identity.length(cfg, identity.begins_alike(values, counted))
    named = content.content(counted) | objects.decay_rule(cfg)
    return Configuration(
        axes(has_batch_norm=has_batch_norm), loaded, headline, own_metrics, has_batch_norm, named, length
    )


def load_data(options: str, resample_split: bool, seed: int) -> ArrayDataModule:
    """The data set of these options (YAML of the group `data`), read and checked with the split of this seed."""
    cfg = OmegaConf.create({"data": OmegaConf.create(options), "seed": seed, "resample_split": resample_split})
    try:
        data = build.data(cfg)
        data.input_shape, data.sizes  # noqa: B018 - reading them loads and checks the arrays
    except ConfigError:
        raise
    except (InstantiationException, TypeError, ValueError) as error:
        raise ConfigError(f"data={cfg.data.get('name')}: cannot be loaded: {cause(error)}") from error
    return data


def _without(values: Mapping[str, Any], left_out: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in left_out}


def _resampled(data: ArrayDataModule | None) -> Resampled:
    """What differs from seed to seed if the split follows the seed: an official test set stays."""
    return "validation" if data is not None and data.arrays.num_test else "split"
