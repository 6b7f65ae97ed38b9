"""A whole sweep before it starts: every combination composed, checked and given its folder; afterwards its table."""

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Quote, QuotedString
from omegaconf import DictConfig

from gradflow import terminal
from gradflow.data.datamodule import ArrayDataModule
from gradflow.errors import ConfigError, RunsFailed
from gradflow.measure.constant_answers import imbalance
from gradflow.runs import folders, planned
from gradflow.runs.record import State, read_record
from gradflow.runs.states import is_over
from gradflow.study.closing_table import closing_table
from gradflow.study.records import study_runs
from gradflow.sweep import present
from gradflow.sweep.checks import configuration, objects
from gradflow.sweep.composed import Composed, Configuration, load_data, of_all_seeds
from gradflow.training.own_module import is_own
from gradflow.training.process import flushing


@dataclass(frozen=True)
class Wanted:
    """A run that a command asks for.

    Attributes:
        cfg: its composed configuration.
        overrides: those that make it, kept in its record.
        axes: called with `has_batch_norm=`, what distinguishes its configuration from the others in its study.
        config_hash: that of a run that was planned before; None for any.
        seed: its seed, where `cfg` is that of several runs that differ in nothing else; None for that of `cfg`.
    """

    cfg: DictConfig
    overrides: list[str]
    axes: Callable[..., dict[str, Any]]
    config_hash: str | None = None
    seed: int | None = None


@dataclass(frozen=True)
class PlannedRun:
    """One run of a sweep: where it goes, how many runs may share its job.

    Attributes:
        runs_per_job: how many runs the job may have, this one included.
        lacks: metrics that are asked for, if it has finished without them.
        is_done: whether nothing was left to train when it was planned.
    """

    folder: Path
    runs_per_job: int = 1
    lacks: tuple[str, ...] = ()
    is_done: bool = False


def plan(runs: Iterable[Wanted | PlannedRun]) -> list[PlannedRun]:
    """Check every run, then write the configuration and a planned run.json of each that is new.

    Args:
        runs: what the command asks for; those that are planned already stay as they are.

    Raises:
        ConfigError: for the first run that makes no sense; nothing has been written then.
    """
    check = _Check()
    found: dict[Path, PlannedRun | present.Planned] = {}
    for one in runs:
        if isinstance(one, PlannedRun):
            found[one.folder] = one
            continue
        with flushing(bool(one.cfg.flush_denormal)):
            folder, new = check(one)
        if isinstance(same := found.get(folder), present.Planned):
            present.check_alike(folder, new.record, same.record)
        found[folder] = new
    for said in check.imbalances():
        terminal.say(said)
    new_ones = {folder: one for folder, one in found.items() if isinstance(one, present.Planned)}
    present.check(new_ones)
    for study in {folder.parent.parent for folder in new_ones}:
        configuration.check_writable(study)
    return [one if isinstance(one, PlannedRun) else _written(folder, one) for folder, one in found.items()]


def _written(folder: Path, new: present.Planned) -> PlannedRun:
    there = present.write(folder, new)
    return PlannedRun(folder, new.runs_per_job, tuple(present.lacking(there, new.record)), is_over(there))


class _Check:
    """Checks one run after another; what runs have in common is loaded, built and checked once."""

    def __init__(self) -> None:
        self._data = functools.cache(load_data)
        self._check_split = functools.cache(ArrayDataModule.check_split)
        self._composed: dict[int, Composed] = {}  # by the configuration that runs share
        self._known: dict[str, Configuration] = {}
        self._texts: dict[str, str] = {}  # of the configurations that have been built

    def __call__(self, one: Wanted) -> tuple[Path, present.Planned]:
        """The folder of a run, and what is to be written there.

        Raises:
            ConfigError: if the run makes no sense.
        """
        cfg, seed = one.cfg, one.cfg.seed if one.seed is None else one.seed
        configuration.check_seed(seed)
        composed = self._composed.get(id(cfg)) or Composed(cfg)
        if one.seed is not None:
            self._composed[id(cfg)] = composed
        shared = composed.shared
        if shared not in self._known:
            configuration.check(cfg)
            self._known[shared] = of_all_seeds(cfg, one.axes, self._data)
        known = self._known[shared]
        if known.data is not None:
            self._check_split(known.data, seed if cfg.resample_split else 0)
        record = composed.record(known, seed, one.overrides)
        folder = folders.run_folder(cfg.output_dir, record["study"], record["config"], seed)
        if one.config_hash not in (None, record["config_hash"]):
            raise ConfigError(f"{folder}: its configuration is not the one that was planned; give the command again")
        if shared not in self._texts and (cfg.rerun or not present.is_done(folder)):
            if known.data is not None and not is_own(cfg):
                objects.check_builds(cfg, known.data)
            self._texts[shared] = planned.as_text(cfg)
        text = planned.of_seed(self._texts.get(shared, ""), seed)
        return folder, present.Planned(record, text, replace=cfg.rerun, runs_per_job=cfg.runs_per_job)

    def imbalances(self) -> list[str]:
        """A line for each data set whose classes are unequal, so that no accuracy is read against equal ones."""
        data = [known.data for known in self._known.values() if known.data is not None]
        found = {id(one): imbalance(one.task, one.training_targets, one.arrays.classes) for one in data}
        return list(dict.fromkeys(line for line in found.values() if line))


def quoted(value: object) -> str:
    """A value quoted so that Hydra's override grammar takes it literally."""
    return QuotedString(str(value), Quote.single).with_quotes()


def unfinished(runs: Sequence[PlannedRun]) -> list[PlannedRun]:
    """The runs that still need training."""
    return [run for run in runs if not (run.is_done or present.is_done(run.folder))]


def announce(runs: Sequence[PlannedRun], todo: Sequence[PlannedRun], *, workers: int = 1) -> None:
    """Print how many runs there are to train, how many at a time, where they go, and what finished runs do not have."""
    studies = sorted({str(run.folder.parent.parent) for run in runs})
    done = f" ({len(runs) - len(todo)} already done)" if len(todo) < len(runs) else ""
    at_a_time = f", {workers} at a time," if workers > 1 else ""
    what = f"{len(todo)} run{'' if len(todo) == 1 else 's'} to train{done}{at_a_time}"
    terminal.say(f"{what} in {', '.join(studies)}")
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
        raise RunsFailed(
            f"{len(failed)} of {len(runs)} runs failed; see their {folders.RUN_FILE} for the error; the same command "
            "takes them up again"
        )
    for result in returns:
        result.return_value  # noqa: B018 - Hydra raises here what the job raised before its run began
