"""The one place that sees a whole sweep: expand, check everything, then hand the runs to the launcher.

Hydra imports every plugin at start-up, even for `--help`, so heavy modules are imported only when a sweep begins.
"""

import functools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict

if TYPE_CHECKING:
    from gradflow.sweep.plan import PlannedRun, Wanted


@dataclass
class GradflowSweeperConf:
    _target_: str = "hydra_plugins.gradflow_sweeper.sweeper.GradflowSweeper"
    params: dict[str, Any] = field(default_factory=dict)


ConfigStore.instance().store(group="hydra/sweeper", name="gradflow", node=GradflowSweeperConf, provider="gradflow")

MOST_SHARED = 2_000  # configurations that are kept for further seeds, a tenth of a MiB each


class GradflowSweeper(Sweeper):
    """Hydra's grid, checked as a whole before the first run starts, each run in a folder named for what it is.

    Args:
        params: values to sweep over that a preset sets; those of the command line override them.
    """

    hydra_context: HydraContext
    task_function: TaskFunction
    config: DictConfig

    def __init__(self, params: Mapping[str, Any] | None = None) -> None:
        self._params = params or {}

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Called by Hydra, before `sweep`."""
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config
        self._launcher(config)  # one that cannot be made is refused before anything is written

    def sweep(self, arguments: list[str]) -> list[Any]:
        """Plan, launch and report every combination of `arguments` and of a preset's `params`.

        Raises:
            ConfigError: if any combination makes no sense; then none is trained.
            RunsFailed: if a run failed; the others have been trained anyway.
        """
        from gradflow import config_folders, garbage, signals, terminal

        with garbage.uncollected():
            from gradflow.sweep import jobs, launch, live, next_steps, plan, side_by_side

        terminal.configure()
        if (taken := config_folders.clashes()) is not None:
            terminal.say(taken, style="yellow")
        with terminal.console.status("checking the configuration"):
            runs = plan.plan(self._wanted(arguments))
        todo = plan.unfinished(runs)
        workers = side_by_side.workers(self._of_launcher(todo[0]), jobs=len(jobs.jobs(todo))) if todo else 1
        plan.announce(runs, todo, workers=workers)
        told: BaseException | None = None
        try:
            with live.shown(runs, todo) as says:
                returns = launch.outlive(todo, functools.partial(self._launch, says=says, workers=workers))
        except (KeyboardInterrupt, signals.Signalled) as error:
            told = error
            raise
        finally:
            launch.settle(todo, told=told)
            plan.report(runs)
            if told is not None:
                next_steps.say_how_to_go_on(runs)
        next_steps.show(runs)
        plan.raise_failures(todo, returns)
        return returns

    def _wanted(self, arguments: Sequence[str]) -> "Iterator[Wanted | PlannedRun]":
        """The runs that the command asks for, composed one by one."""
        from gradflow.runs import identity
        from gradflow.sweep import grid, own_module, plan, resume
        from gradflow.sweep.compositions import Compositions

        compositions = Compositions(self.hydra_context.config_loader, self.config)
        if studies := resume.studies([compositions.parse(one) for one in arguments], self.config.resume):
            yield from resume.wanted(studies, command=self.config)
            return
        combinations = grid.combinations(arguments, self._params, compositions)
        apart = [compositions.apart_from_seed(overrides) for overrides in combinations]
        counts = Counter(others for _, others in apart)
        shared: dict[tuple[str, ...], plan.Wanted] = {}  # by all that makes a run but its seed
        for overrides, (seed, others) in zip(combinations, apart, strict=True):
            if others in shared and seed is not None:
                yield replace(shared[others], overrides=overrides, seed=seed)
                continue
            cfg, choices = compositions.of_run(overrides)
            cfg = own_module.adapted(cfg, choices, overrides)
            defaults = own_module.adapted_defaults(cfg, compositions.defaults)
            axes = functools.partial(identity.study_axes, cfg, choices, defaults)
            one = plan.Wanted(cfg, overrides, axes, seed=seed)
            if seed is None or counts[others] == 1 or len(shared) == MOST_SHARED or identity.may_follow_seed(cfg):
                yield replace(one, seed=None)
            else:
                shared[others] = one
                yield one

    def _launch(self, runs: "Sequence[PlannedRun]", *, says: Path | None, workers: int) -> list[Any]:
        """Hand the runs to the configured launcher, each job with its folder set as Hydra expects it.

        Args:
            runs: to train.
            says: a file for what workers of this process print.
            workers: how many jobs are trained at a time where no launcher was asked for.
        """
        from gradflow.sweep import jobs, plan, side_by_side

        launched: list[list[str]] = []
        trained = 0
        for planned in jobs.jobs(runs):
            folders = [run.folder for run in planned]
            job = jobs.described(folders, first=trained + 1, of=len(runs), says=says)
            study, subdir = folders[0].parent.parent, "/".join(folders[0].parts[-2:])
            values = {"hydra.sweep.dir": study, "hydra.sweep.subdir": subdir, f"hydra.job.env_set.{jobs.JOB}": job}
            launched.append([f"{key}={plan.quoted(value)}" for key, value in values.items()])
            trained += len(folders)
        config = self._of_launcher(runs[0])
        if workers > 1:
            side_by_side.launch_side_by_side(config, workers=workers)
        return list(self._launcher(config).launch(launched, initial_job_idx=0))

    def _of_launcher(self, first: "PlannedRun") -> DictConfig:
        """What a launcher sees: Hydra's settings, with the folder of the first run's study and that run's values."""
        from gradflow.runs.planned import planned_configuration

        config = self.config.copy()
        with open_dict(config):
            config.update(planned_configuration(first.folder))
        config.hydra.sweep.dir = str(first.folder.parent.parent)
        return config

    def _launcher(self, config: DictConfig) -> Launcher:
        from gradflow.sweep.frozen import FrozenLoader

        context = HydraContext(FrozenLoader(self.hydra_context.config_loader), self.hydra_context.callbacks)
        return Plugins.instance().instantiate_launcher(
            hydra_context=context, task_function=self.task_function, config=config
        )
