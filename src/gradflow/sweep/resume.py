"""What `resume=STUDY` asks for: the runs of a study as they were planned, wherever it lies now."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Override, QuotedString
from omegaconf import DictConfig, OmegaConf, open_dict

from gradflow.errors import ConfigError, shown
from gradflow.runs import folders
from gradflow.runs.planned import planned_configuration
from gradflow.runs.record import IDENTITY, Record
from gradflow.study.records import readable_runs
from gradflow.sweep import environment
from gradflow.sweep.plan import PlannedRun, Wanted, quoted
from gradflow.sweep.present import is_done
from gradflow.sweep.trust import check_resumed

KEY, TRUST = "resume", "trust"


def studies(overrides: Sequence[Override], configured: Any) -> list[Path]:
    """The folders of the studies to resume; none if the command does not ask for it.

    Args:
        overrides: those of the command line, without Hydra's own.
        configured: `resume` of a configuration file, which the command line overrides.

    Raises:
        ConfigError: for anything but the names of folders, and for other overrides: they would have no effect.
    """
    typed = [one for one in overrides if one.key_or_group == KEY]
    values = [value for one in typed for value in _values(one)] if typed else _listed(configured)
    if not (typed or values):
        return []
    for value in values or [None]:
        if not isinstance(value, str) or not value.strip():
            raise ConfigError(f"{KEY}={shown(value)}: name the folder of a study, e.g. {KEY}=outputs/digits_conv")
    named = list(dict.fromkeys(map(str, values)))
    for one in overrides:
        if one.key_or_group not in (KEY, TRUST):
            known = ",".join(named)
            raise ConfigError(f"{one.input_line}: no effect with {KEY}={known}, which trains runs as they were planned")
    return [Path(environment.expanded(KEY, name)) for name in named]


def wanted(found: Sequence[Path], *, command: DictConfig) -> Iterator[Wanted | PlannedRun]:
    """Every run of these studies, seeds slowest, as in a sweep; those with nothing left to train as they are.

    Args:
        found: the studies' folders.
        command: what Hydra composed for the command: the knobs that a version of before did not know, and what the
            user trusts.

    Raises:
        ConfigError: if there are no runs in a folder, or the configuration of an unfinished one is damaged or names
            code that needs trust=true.
    """
    runs = []
    for study in found:
        records, left_out = readable_runs(study)  # the closing table warns of those left out
        if left_out and not records:
            raise ConfigError(f"{KEY}={study}: {left_out[0]}")
        if not records:
            raise ConfigError(f"{KEY}={study}: no runs here; name a study's folder, e.g. {KEY}=outputs/digits_conv")
        runs += [(study.absolute(), record) for record in records]
    for study, record in sorted(runs, key=lambda run: run[1]["seed"]):
        folder = study / record["config"] / folders.seed_folder(record["seed"])
        if is_done(folder):
            yield PlannedRun(folder, is_done=True)
        else:
            planned = planned_configuration(folder)
            check_resumed(planned, folder, command=command)
            cfg = _as_it_lies(planned, study, command)
            planned_as = record["config_hash"] if record["identity"] == IDENTITY else None
            yield Wanted(cfg, _here(record, study), _axes(record), planned_as)


def _values(override: Override) -> list[Any]:
    if not override.is_sweep_override():
        return _listed(override.value()) or [None]
    plain = [one.text if isinstance(one, QuotedString) else one for one in override.sweep_iterator()]
    return [value for one in plain for value in _listed(one)]


def _listed(value: Any) -> list[Any]:
    """`resume=[a,b]` names several studies; null none."""
    if OmegaConf.is_list(value) or isinstance(value, list):
        return list(value)
    return [] if value is None else [value]


def _as_it_lies(cfg: DictConfig, study: Path, command: DictConfig) -> DictConfig:
    """The planned configuration for a study that may have been moved; a planned rerun=true goes on, not again."""
    with open_dict(cfg):
        for key in command:
            if key not in cfg and key != "hydra":
                cfg[key] = command[key]
        cfg.update({"output_dir": str(study.parent), "study": study.name, "rerun": False, KEY: None, TRUST: False})
    return cfg


def _here(record: Record, study: Path) -> list[str]:
    """The overrides of the run's command line, with the place where its study lies now."""
    kept = [one for one in record["overrides"] if one.partition("=")[0] not in ("output_dir", "study", "rerun")]
    return [*kept, f"output_dir={quoted(study.parent)}", f"study={quoted(study.name)}", "rerun=false"]


def _axes(record: Record) -> Callable[..., dict[str, Any]]:
    return lambda **_: record["axes"]
