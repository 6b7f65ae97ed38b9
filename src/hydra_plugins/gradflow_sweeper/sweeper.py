"""The one place that sees a whole sweep: expand, check everything, then hand the runs to the launcher.

Hydra imports every plugin at start-up, even for `--help`, so heavy modules are imported only when a sweep begins.
"""

import functools
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, RunMode, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from gradflow.errors import ConfigError

if TYPE_CHECKING:
    from gradflow.sweep.plan import PlannedRun


@dataclass
class GradflowSweeperConf:
    _target_: str = "hydra_plugins.gradflow_sweeper.sweeper.GradflowSweeper"
    params: dict[str, Any] | None = None


ConfigStore.instance().store(group="hydra/sweeper", name="gradflow", node=GradflowSweeperConf, provider="gradflow")


def grid(overrides: Sequence[Override]) -> list[list[str]]:
    """Every combination of the overrides' values; seeds vary slowest, whatever the order of the keys.

    So a sweep that is cut short has something of everything to compare. Otherwise the combinations are those of Hydra's
    own sweeper: the last key varies fastest, and a repeated key takes its last values, at its first place.

    Raises:
        ConfigError: for an interval.
    """
    choices: dict[str, list[str]] = {}
    for one in overrides:
        if one.is_interval_sweep():
            raise ConfigError(f"{one.input_line}: an interval has no list of values; use range(start,stop) or a,b,c")
        key = one.get_key_element()
        values = one.sweep_string_iterator() if one.is_sweep_override() else [one.get_value_element_as_str()]
        choices[key] = [f"{key}={value}" for value in values]
    combinations = [list(combination) for combination in itertools.product(*choices.values())]
    if "seed" not in choices:
        return combinations
    at = list(choices).index("seed")
    rank = {seed: position for position, seed in reversed(list(enumerate(choices["seed"])))}  # of the first of equals
    return sorted(combinations, key=lambda combination: rank[combination[at]])


class GradflowSweeper(Sweeper):
    """Hydra's grid, checked as a whole before the first run starts, each run in a folder named for what it is.

    Args:
        params: values to sweep over that a preset sets; those of the command line override them.
    """

    hydra_context: HydraContext
    config: DictConfig
    launcher: Launcher

    def __init__(self, params: Mapping[str, Any] | None = None) -> None:
        self._params = params or {}

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra, before `sweep`."""
        self.hydra_context = hydra_context
        self.config = config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> list[Any]:
        """Plan, launch and report every combination of `arguments` and of a preset's `params`.

        Raises:
            ConfigError: if any combination makes no sense; then none is trained.
            RunsFailed: if a run failed; the others have been trained anyway.
        """
        from gradflow import terminal
        from gradflow.sweep import launch, plan
        from gradflow.training.process import flushing

        terminal.configure()
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        self._parse = functools.cache(parser.parse_override)
        self._compose_options = functools.cache(self._load_options)
        if self.config.resume:
            combinations = plan.recorded_overrides(self.config.resume, arguments)
        else:
            preset = [f"{key}={values}" for key, values in self._params.items()]
            combinations = grid(parser.parse_overrides([*preset, *arguments]))
        with terminal.console.status("checking the configuration"), flushing(bool(self.config.flush_denormal)):
            runs = plan.plan(combinations, self._compose_combination, self._compose)
        todo = plan.unfinished(runs)
        plan.announce(runs, todo)
        try:
            returns = launch.outlive(todo, self._launch)
        finally:
            launch.settle(todo)
            plan.report(runs)
        plan.raise_failures(todo, returns)
        return returns

    def _launch(self, runs: "Sequence[PlannedRun]") -> list[Any]:
        """Hand the runs to the configured launcher, each job with its folder set as Hydra expects it."""
        from gradflow.sweep import jobs, plan

        launched: list[list[str]] = []
        trained = 0
        for planned in jobs.jobs(runs):
            folders = [run.folder for run in planned]
            job = plan.quoted(jobs.described(folders, first=trained + 1, of=len(runs)))
            launched.append(
                [
                    *planned[0].overrides,
                    f"hydra.sweep.subdir='{folders[0].parent.name}/{folders[0].name}'",
                    f"+hydra.job.env_set.{jobs.JOB}={job}",
                ]
            )
            trained += len(folders)
        return list(self.launcher.launch(launched, initial_job_idx=0))

    def _compose_combination(self, overrides: Sequence[str]) -> tuple[DictConfig, dict[str, Any]]:
        """One combination as its job will see it: the configuration and the option chosen in each group.

        Hydra takes 70 ms per composition, so the options are composed once and plain values set on a copy, as Hydra
        does.
        """
        values = [one for one in map(self._parse, overrides) if self._is_value(one)]
        options = tuple(override for override in overrides if not self._is_value(self._parse(override)))
        composed, choices = self._compose_options(options)
        cfg = composed.copy()
        try:
            for one in values:
                OmegaConf.update(cfg, one.key_or_group, one.value(), merge=True)
        except OmegaConfBaseException:
            self._compose_options(tuple(overrides))  # raises Hydra's own message
            raise
        return cfg, choices

    def _is_value(self, override: Override) -> bool:
        """Whether it sets a plain value: no group's option, no addition or deletion, none of Hydra's own keys."""
        key = override.key_or_group
        is_plain = not (override.is_add() or override.is_delete() or override.package)
        return is_plain and key not in self.config.hydra.runtime.choices and not key.startswith("hydra")

    def _load_options(self, overrides: tuple[str, ...]) -> tuple[DictConfig, dict[str, Any]]:
        return _split(self.hydra_context.config_loader.load_sweep_config(self.config, list(overrides)))

    def _compose(self, overrides: Sequence[str]) -> tuple[DictConfig, dict[str, Any]]:
        """The configuration of these overrides alone, without the rest of the command line."""
        loaded = self.hydra_context.config_loader.load_configuration(
            config_name=self.config.hydra.job.config_name,
            overrides=list(overrides),
            run_mode=RunMode.RUN,
        )
        return _split(loaded)


def _split(composed: DictConfig) -> tuple[DictConfig, dict[str, Any]]:
    choices = OmegaConf.to_container(composed.hydra.runtime.choices)
    assert isinstance(choices, dict)
    with open_dict(composed):
        del composed["hydra"]
    return composed, {str(group): option for group, option in choices.items()}
