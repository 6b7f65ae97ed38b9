"""What train.py runs: hydra.main, with every error turned into one line and an exit status."""

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

import hydra
import yaml
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, OverrideParseException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from gradflow import CONF, signals, terminal
from gradflow.errors import CannotWrite, ConfigError, RunsFailed, nearest

NO_OPTION = "Config group override must be"  # how Hydra begins a ValueError for activation=null or activation=5
FULL_ERROR = "HYDRA_FULL_ERROR"  # Hydra's own switch: the user asks for tracebacks


@hydra.main(version_base="1.3", config_path=str(CONF), config_name="train")
def task(cfg: DictConfig) -> Any:
    """What every launcher runs, in any process: a job, whose first run has the folder that the sweeper gave it."""
    from gradflow.sweep.jobs import run_job  # torch and Lightning take seconds; --help need not wait

    return run_job(cfg, Path(HydraConfig.get().runtime.output_dir))


def main() -> None:
    """Run Hydra; exit with 0, 1 (a run failed), 2 (wrong input), 130 (Ctrl-C) or 128 + signal."""
    wants_traceback = os.environ.get(FULL_ERROR) == "1"
    os.environ[FULL_ERROR] = "1"  # let errors through to here instead of having Hydra print them
    terminal.accept_every_character()
    signals.listen()
    try:
        task()
    except (ConfigError, HydraException, OmegaConfBaseException) as error:
        if wants_traceback:
            raise
        _exit(one_line(error), 2)
    except ValueError as error:
        if wants_traceback or not str(error).startswith(NO_OPTION):
            raise
        _exit(_no_option(sys.argv[1:]), 2)
    except (RunsFailed, CannotWrite) as error:
        _exit(str(error), 1)
    except (KeyboardInterrupt, signals.Signalled) as error:
        _exit("interrupted", signals.status_of(error))


def one_line(error: Exception) -> str:
    """Key, value and remedy on one line, even for Hydra's errors, which span several.

    For a misspelt option or key the nearest ones are named.
    """
    text = str(error)
    if isinstance(error, ConfigError):
        return " ".join(text.split())
    if isinstance(error, OverrideParseException):
        said = text.splitlines()[1 if text.startswith("Error parsing override") else 0]
        remedy = "write key=value, and quotes around special characters: \"key='a,b'\""
        return f"{error.override}: not understood ({said}); {remedy}"
    if missing := re.search(r"Could not find '([^']+)/([^'/]+)'", text):
        group, option = missing.groups()
        options = re.findall(r"^\t(\S+)$", text, flags=re.MULTILINE)
        return f"{group}={option}: no such option{nearest(option, options)} (options: {', '.join(options)})"
    if unknown := re.search(r"Could not override '([^']+)'", text):
        key = unknown.group(1)
        value = re.search(rf"\+{re.escape(key)}=(.*)", text)
        typed = f"{key}={value.group(1)}" if value else key
        return f"{typed}: no such key{nearest(key, _known_keys()) or '; python train.py --help lists the groups'}"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    cause = str(error.__cause__).splitlines()[0] if error.__cause__ else ""
    return " ".join(dict.fromkeys([*lines, cause])).strip()


def _no_option(arguments: Iterable[str]) -> str:
    """The message for a group that got a number or null instead of an option's name."""
    for argument in arguments:
        group, _, option = argument.partition("=")
        options = sorted(file.stem for file in (CONF / group).glob("*.yaml"))
        if group and options and option not in options:
            return f"{argument}: no such option (options: {', '.join(options)})"
    return f"{' '.join(arguments)}: a group takes the name of an option, e.g. activation=relu"


def _known_keys() -> list[str]:
    """Top-level keys, and those of the default options, as typed."""
    root = yaml.safe_load((CONF / "train.yaml").read_text(encoding="utf-8"))
    keys = [key for key in root if key not in ("defaults", "hydra")]
    groups = [item for entry in root["defaults"] if isinstance(entry, dict) for item in entry.items()]
    for group, option in groups:
        file = CONF / group / f"{option}.yaml"
        if file.exists():
            content = yaml.safe_load(file.read_text(encoding="utf-8"))
            inside = [*(content.pop("defaults", None) or []), *content]
            keys += [group, *(f"{group}.{key}" for key in inside if key != "name")]
    return keys


def _exit(message: str, status: int) -> NoReturn:
    terminal.complain(message)
    sys.exit(status)
