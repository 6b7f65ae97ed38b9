"""Data are not code: whether what a run folder names may be built.

Building a configuration imports whatever its `_target_`s name and calls it. That is what the configuration of one's own
command is for; a run folder may be somebody else's. What is read from one is therefore built only if every target, at
any depth, is a class of its group's kind that gradflow, torch or Lightning define where the target says, or if the
user's own `conf` or command line names it too. Nothing is imported before its package is known to be one of these.
"""

import importlib
import inspect
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
from hydra.utils import get_object
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import Logger
from lightning.pytorch.profilers import Profiler
from lightning.pytorch.strategies import Strategy
from omegaconf import DictConfig, OmegaConf
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from gradflow.data.arrays import Arrays
from gradflow.data.datamodule import ArrayDataModule
from gradflow.errors import ConfigError
from gradflow.models.initialization import Initializer

TARGET = "_target_"
# The only modules whose functions may be called; elsewhere, classes.
FUNCTIONS = ("gradflow.data.sources", "gradflow.models.torchvision_networks")


@dataclass(frozen=True)
class Kind:
    """What may stand in a group.

    Attributes:
        what: in words.
        bases: classes of which a target must be a subclass; a function of `FUNCTIONS` must return one.
        packages: dotted prefixes of the modules that may define it.
    """

    what: str
    bases: tuple[type, ...]
    packages: tuple[str, ...]


KINDS = {
    "activation": Kind("an activation of torch.nn or gradflow", (nn.Module,), ("torch.nn", "gradflow")),
    "module": Kind("a LightningModule of gradflow", (L.LightningModule,), ("gradflow",)),
    "model": Kind("a network of torch.nn or gradflow", (nn.Module,), ("torch.nn", "gradflow")),
    "init": Kind("an initialisation of gradflow", (Initializer,), ("gradflow",)),
    "data": Kind("a data set of gradflow", (ArrayDataModule, Arrays), ("gradflow",)),
    "optimizer": Kind("an optimizer of torch.optim", (Optimizer,), ("torch.optim", "gradflow")),
    "schedule": Kind("a schedule of torch.optim", (LRScheduler,), ("torch.optim", "gradflow")),
    "callbacks": Kind("a callback of gradflow or Lightning", (Callback,), ("gradflow", "lightning")),
    "logger": Kind("a logger of gradflow or Lightning", (Logger,), ("gradflow", "lightning")),
    "trainer": Kind("a part of Lightning's trainer", (L.Trainer, Strategy, Profiler), ("lightning",)),
}
PLAIN = ("datetime.timedelta",)  # values that have no YAML form
MAY_WRITE = ("callbacks", "logger", "trainer")  # groups whose objects write files or send messages
# Other keys are looked up (`${data.name}`); this resolver reads where downloads are. Any other reads the environment.
_RESOLVER = re.compile(r"\$\{.*:", flags=re.DOTALL)
_OUR_RESOLVER = re.compile(r"\$\{oc\.env:GRADFLOW_DATA,'?[^'{}$]*'?\}")
_ELSEWHERE = re.compile(r"^[~/\\]|^[A-Za-z]:|://|(?:^|[/\\])\.\.(?:[/\\]|$)|\$")
_NAMED = re.compile(r"^[ \t]*(?:-[ \t]+)?_target_:[ \t]*['\"]?([\w.]+)", flags=re.MULTILINE)


def named_in(folders: Iterable[Path]) -> frozenset[str]:
    """Every target in the YAML files of the user's own configuration folders."""
    files = (file for folder in folders for file in folder.rglob("*.yaml"))
    return frozenset(target for file in files for target in _NAMED.findall(file.read_text(encoding="utf-8")))


def check_trusted(
    cfg: DictConfig, *, where: Path, own: Collection[str], remedy: str, groups: Collection[str] | None = None
) -> None:
    """Refuse a configuration that was read from a run folder and could run code, or write elsewhere, when it is built.

    Args:
        cfg: the configuration, perhaps with interpolations.
        where: the folder it was read from.
        own: targets that the user has named, in `conf` or on the command line.
        remedy: how to build it all the same, e.g. `trust=true`.
        groups: those that are going to be built; None stands for all there are.

    Raises:
        ConfigError: naming the folder, the key, the target and the remedy.
    """
    written = OmegaConf.to_container(cfg, resolve=False)
    for key, value in _entries(written):
        # An interpolation would be resolved before anything can be said of its value.
        if isinstance(value, str) and _RESOLVER.search(_OUR_RESOLVER.sub("", value)):
            _refuse(where, f"{key}={value}", "is computed when it is read", remedy)
    resolved = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=False)
    assert isinstance(resolved, dict)
    for group in map(str, resolved) if groups is None else groups:
        for key, value in _entries(resolved.get(group), group):
            if key.endswith(f".{TARGET}"):
                if value is not None and (fault := _fault(group, value, own)):
                    _refuse(where, f"{key}={value}", fault, remedy)
            elif group in MAY_WRITE and isinstance(value, str) and _ELSEWHERE.search(value):
                _refuse(where, f"{key}={value}", "leads out of the run folder", remedy)


def _refuse(where: Path, what: str, fault: str, remedy: str) -> None:
    raise ConfigError(
        f"{where}: {what} {fault}, and a run folder may be anybody's; if you know where it comes from, use {remedy}"
    )


def _entries(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every plain value, and every target whatever it is, with its dotted key; entries of a list are numbered."""
    if isinstance(value, Mapping | list) and not key.endswith(f".{TARGET}"):
        for name, item in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _entries(item, f"{key}.{name}" if key else str(name))
    else:
        yield key, value


def _fault(group: str, target: object, own: Collection[str]) -> str | None:
    """Why a target is not trusted; None if it is."""
    if isinstance(target, str) and (target in own or target in PLAIN):
        return None
    if group not in KINDS:
        return "is in no group that is built"
    kind = KINDS[group]
    if not isinstance(target, str) or not any(target.startswith(f"{package}.") for package in kind.packages):
        return f"is not {kind.what}, nor does your conf or command line name it"
    thing = _defined(target)
    if inspect.isclass(thing):
        made: Any = thing
    else:
        made = _annotated(thing) if target.rpartition(".")[0] in FUNCTIONS else None
    if inspect.isclass(made) and issubclass(made, kind.bases):
        return None
    return f"is not {kind.what}"


def _defined(target: str) -> Any:
    """The class or function that a module defines under this name, or takes from its own package; None if it does not.

    A module is entered by its own name only, never as an attribute of another one: `torch.nn.functional.torch.load`
    is `torch.load`, but no module is called `torch.nn.functional.torch`.
    """
    module, _, name = target.rpartition(".")
    try:
        thing = getattr(importlib.import_module(module), name)
        found = get_object(target)  # what Hydra is going to build
    except Exception:  # importing may raise anything; what cannot be imported is not defined there
        return None
    packages = (one.split(".")[0] for one in (str(getattr(thing, "__module__", "")), target))
    return thing if found is thing and len(set(packages)) == 1 else None


def _annotated(function: Any) -> Any:
    """What a function says that it returns."""
    return inspect.get_annotations(inspect.unwrap(function), eval_str=True).get("return") if function else None
