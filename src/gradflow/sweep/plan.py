"""A whole sweep before it starts: every combination composed, checked and given its folder; afterwards its table."""

import functools
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Quote, QuotedString
from hydra.errors import InstantiationException
from omegaconf import DictConfig, OmegaConf

from gradflow import terminal
from gradflow.data.datamodule import ArrayDataModule
from gradflow.errors import ConfigError, RunsFailed
from gradflow.runs import content, folders, identity
from gradflow.runs.metrics import Metric
from gradflow.runs.record import Record, Resampled, State, planned_record, read_record
from gradflow.study.closing_table import closing_table
from gradflow.study.records import study_runs
from gradflow.sweep import present
from gradflow.sweep.checks import configuration, objects
from gradflow.training import build

Compose = Callable[[Sequence[str]], tuple[DictConfig, dict[str, Any]]]


@dataclass(frozen=True)
class PlannedRun:
    """One run of a sweep: how to compose it, where it goes, how many runs may share its job.

    Attributes:
        runs_per_job: how many runs the job may have, this one included.
        lacks: metrics that are asked for, if it has finished without them.
    """

    overrides: list[str]
    folder: Path
    runs_per_job: int = 1
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Configuration:
    """What the seeds of one configuration share."""

    axes: dict[str, Any]
    data: ArrayDataModule
    headline: str
    own_metrics: list[Metric]
    has_batch_norm: bool
    content: dict[str, str]
    length: dict[str, Any]


def plan(combinations: Sequence[Sequence[str]], compose: Compose, compose_defaults: Compose) -> list[PlannedRun]:
    """Check every combination, then write a planned run.json for each that is new.

    Args:
        combinations: the overrides of each run.
        compose: overrides -> (configuration, chosen options) of a run.
        compose_defaults: the same without the rest of the command line, for the study's defaults.

    Raises:
        ConfigError: for the first combination that makes no sense; nothing has been written then.
    """
    defaults = functools.cache(lambda overrides: compose_defaults(list(overrides)))
    data = functools.cache(_load)
    check_split = functools.cache(ArrayDataModule.check_split)
    known: dict[str, Configuration] = {}
    built: set[str] = set()
    records: dict[Path, Record] = {}
    runs_per_job: dict[Path, int] = {}
    replaced: set[Path] = set()
    for overrides in combinations:
        cfg, choices = compose(overrides)
        configuration.check_seed(cfg)
        values = identity.whole(cfg)
        shared = identity.digest({key: value for key, value in values.items() if key != "seed"})
        if shared not in known:
            configuration.check(cfg)
            known[shared] = _configuration(cfg, choices, data, lambda wanted: defaults(tuple(wanted)))
        check_split(known[shared].data, cfg.seed if cfg.resample_split else 0)
        own = identity.counted(values, has_batch_norm=known[shared].has_batch_norm)
        record = _record(cfg, known[shared], overrides, values=values, counted=own)
        folder = folders.run_folder(cfg.output_dir, record["study"], record["config"], cfg.seed)
        present.check_same(folder, record, records.get(folder))
        if shared not in built and (cfg.rerun or not present.is_done(folder)):
            objects.check_builds(cfg, known[shared].data)
            built.add(shared)
        records[folder] = record
        replaced |= {folder} if cfg.rerun else set()
        runs_per_job[folder] = cfg.runs_per_job
    present.check(records, replaced=replaced)
    return _written(records, replaced=replaced, runs_per_job=runs_per_job)


def _written(
    records: Mapping[Path, Record], *, replaced: Collection[Path], runs_per_job: Mapping[Path, int]
) -> list[PlannedRun]:
    """Write the records into the run folders that they belong to."""
    for study in {folder.parent.parent for folder in records}:
        configuration.check_writable(study)
    runs = []
    for folder, record in records.items():
        there = present.write(folder, record, replace=folder in replaced)
        lacks = tuple(present.lacking(there, record))
        runs.append(PlannedRun(record["overrides"], folder, runs_per_job[folder], lacks))
    return runs


def recorded_overrides(study: str, arguments: Sequence[str]) -> list[list[str]]:
    """The overrides of every run of a study, from its run.json, so that planning them again finds what is unfinished.

    Args:
        study: the study's folder.
        arguments: the overrides of the command; any but `resume` would have no effect.

    Raises:
        ConfigError: if there are no runs in the folder, or other overrides.
    """
    for argument in arguments:
        if not argument.startswith("resume="):
            raise ConfigError(f"{argument}: no effect with resume={study}, which trains runs as they were planned")
    folder = Path(study)
    records = study_runs(folder)
    if not records:
        raise ConfigError(f"resume={study}: no runs here; name a study's folder, e.g. resume=outputs/digits_conv")
    # The study may have been moved since, and a run that was planned with rerun=true must resume, not start again.
    here = [f"output_dir={quoted(folder.absolute().parent)}", f"study={quoted(folder.absolute().name)}"]
    by_seed = sorted(records, key=lambda record: record["seed"])  # slowest, as in a sweep
    return [[*_elsewhere(record["overrides"]), *here, "rerun=false"] for record in by_seed]


def _elsewhere(overrides: Sequence[str]) -> list[str]:
    """The overrides that hold wherever the study lies."""
    return [one for one in overrides if one.partition("=")[0] not in ("output_dir", "study", "rerun")]


def quoted(value: object) -> str:
    """A value quoted so that Hydra's override grammar takes it literally."""
    return QuotedString(str(value), Quote.single).with_quotes()


def _configuration(
    cfg: DictConfig, choices: Mapping[str, Any], data: Callable[[str, bool, int], ArrayDataModule], defaults: Any
) -> Configuration:
    """What is computed once for all seeds of a configuration; the data set is loaded once for all configurations."""
    resampled_by = cfg.seed if cfg.resample_split else 0  # of a resampled split, any seed of the sweep stands for all
    loaded = data(OmegaConf.to_yaml(cfg.data, resolve=True), cfg.resample_split, resampled_by)
    headline = objects.headline(cfg, loaded)
    has_batch_norm = objects.has_batch_norm(cfg, loaded)
    axes = identity.study_axes(cfg, choices, defaults, has_batch_norm=has_batch_norm)
    values = identity.whole(cfg)
    counted = identity.counted(values, has_batch_norm=has_batch_norm)
    length = identity.length(cfg, identity.begins_alike(values, counted))
    own_metrics = objects.own_metrics(cfg)
    return Configuration(axes, loaded, headline, own_metrics, has_batch_norm, content.content(counted), length)


def _load(options: str, resample_split: bool, seed: int) -> ArrayDataModule:
    """The data set of these options (YAML of the group `data`), read and checked with the split of this seed."""
    cfg = OmegaConf.create({"data": OmegaConf.create(options), "seed": seed, "resample_split": resample_split})
    try:
        data = build.data(cfg)
        data.input_shape, data.sizes  # noqa: B018 - reading them loads and checks the arrays
    except ConfigError:
        raise
    except (InstantiationException, TypeError, ValueError) as error:
        raise ConfigError(f"data={cfg.data.get('name')}: cannot be loaded: {build.cause(error)}") from error
    return data


def _record(
    cfg: DictConfig,
    configuration: Configuration,
    overrides: Sequence[str],
    *,
    values: Mapping[str, Any],
    counted: Mapping[str, Any],
) -> Record:
    """The record of a run before its first attempt, from its whole configuration and what counts of it."""
    shared = identity.begins_alike(values, counted)
    return planned_record(
        study=cfg.study,
        config=folders.config_name(configuration.axes),
        config_hash=identity.digest(counted),
        content=configuration.content,
        length=configuration.length,
        lengthless_hash=identity.digest({k: v for k, v in shared.items() if k not in configuration.length}),
        axes=configuration.axes,
        seed=cfg.seed,
        lr=cfg.optimizer.lr,
        overrides=list(overrides),
        headline=configuration.headline,
        selected_on="test" if configuration.data.selected_on_test else "validation",
        declared_metrics=[metric.as_entry() for metric in configuration.own_metrics],
        resampled=_resampled(configuration.data) if cfg.resample_split else None,
    )


def _resampled(data: ArrayDataModule) -> Resampled:
    """What differs from seed to seed if the split follows the seed: an official test set stays."""
    return "validation" if data.arrays.num_test else "split"


def unfinished(runs: Sequence[PlannedRun]) -> list[PlannedRun]:
    """The runs that still need training."""
    return [run for run in runs if not present.is_done(run.folder)]


def announce(runs: Sequence[PlannedRun], todo: Sequence[PlannedRun]) -> None:
    """Print how many runs there are to train, where they go, and what finished runs do not have."""
    studies = sorted({str(run.folder.parent.parent) for run in runs})
    done = f" ({len(runs) - len(todo)} already done)" if len(todo) < len(runs) else ""
    terminal.say(f"{len(todo)} run{'' if len(todo) == 1 else 's'} to train{done} in {', '.join(studies)}")
    for tag, count in Counter(tag for run in runs for tag in run.lacks).items():
        which = "1 finished run has" if count == 1 else f"{count} finished runs have"
        terminal.say(f"{which} no {tag}; if a monitor was missing, rerun=true trains again with it", style="yellow")


def report(runs: Sequence[PlannedRun]) -> None:
    """Print the closing table of each study: every seed present of the configurations asked for."""
    order = {config: i for i, config in enumerate(dict.fromkeys(run.folder.parent for run in runs))}
    for study in sorted({config.parent for config in order}):
        records = [record for record in study_runs(study) if study / record["config"] in order]
        records.sort(key=lambda record: order[study / record["config"]])
        terminal.show(closing_table(records))


def raise_failures(runs: Sequence[PlannedRun], returns: Sequence[Any]) -> None:
    """Turn failures into one exception: those that run.json records, else those of jobs that never wrote one.

    Raises:
        RunsFailed: if a run failed.
    """
    records = [read_record(run.folder) for run in runs]  # None, say, where the folder was moved away
    failed = [record for record in records if record is not None and record["state"] == State.FAILED]
    if failed:
        raise RunsFailed(f"{len(failed)} of {len(runs)} runs failed; see their {folders.RUN_FILE} for the error")
    for result in returns:
        result.return_value  # noqa: B018 - Hydra raises here what the job raised before its run began
