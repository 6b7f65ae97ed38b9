"""What train.py and the console command run: hydra.main, with every error turned into one line and an exit status."""

import argparse
import os
import re
import shlex
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, InstantiationException, OverrideParseException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from gradflow import CONF, garbage, invocation, signals, terminal, threads
from gradflow.errors import CannotWrite, ConfigError, RunsFailed, nearest, shown

TOO_LONG = "Exceeds the limit"  # how Python begins a ValueError for a number of thousands of digits
# How messages of Hydra's begin: for an unknown key; a group's option that is no name; several values where one is
# shown; flags that do not go together.
NO_KEY = "Could not override"
NO_OPTION = "Config group override must be"
AMBIGUOUS = "Ambiguous value for argument"
SWEPT_SETTING = "Sweeping over Hydra's configuration is not supported"
WRONG_FLAGS = ("Only one of --run", "The --resolve flag")
_VALUED = "--cfg -c --package -p --config-path -cp --config-name -cn --config-dir -cd --experimental-rerun --info -i"
TAKE_A_VALUE = frozenset(_VALUED.split())  # flags that a value follows
SHOWS = frozenset(("--cfg", "-c", "--info", "-i", "--help", "-h", "--hydra-help"))  # flags that train nothing
FULL_ERROR = "HYDRA_FULL_ERROR"  # Hydra's own switch: the user asks for tracebacks


@hydra.main(version_base="1.3", config_path=str(CONF), config_name="train")
def task(cfg: DictConfig) -> Any:
    """What every launcher runs, in any process: a job, whose first run has the folder that the sweeper gave it.

    The configuration that Hydra passes is that of the whole sweep; those of the job's runs are in their folders.
    """
    with garbage.uncollected():
        from gradflow.sweep.jobs import run_job  # torch and Lightning take seconds; --help need not wait

    return run_job(Path(HydraConfig.get().runtime.output_dir))


def main() -> None:
    """Run Hydra; exit with 0, 1 (a run failed), 2 (wrong input), 130 (Ctrl-C) or 128 + signal."""
    wants_traceback = os.environ.get(FULL_ERROR) == "1"
    os.environ[FULL_ERROR] = "1"  # let errors through to here instead of having Hydra print them
    os.environ[invocation.COMMAND] = shlex.join(sys.argv)
    os.environ[invocation.PROGRAM] = invocation.train()
    threads.let_wait_asleep()
    terminal.accept_every_character()
    signals.listen()
    _accept_help_that_is_made_when_shown()
    sys.argv[1:] = _overrides_first(sys.argv[1:])
    try:
        _run_hydra()
    except (ConfigError, HydraException, OmegaConfBaseException) as error:
        if wants_traceback:
            raise
        _exit(one_line(error), 2)
    except ValueError as error:
        if wants_traceback or not str(error).startswith((NO_OPTION, TOO_LONG, *WRONG_FLAGS)):
            raise
        _exit(one_line(error), 2)
    except (RunsFailed, CannotWrite) as error:
        _exit(str(error), 1)
    except (KeyboardInterrupt, signals.Signalled) as error:
        _exit("interrupted", signals.status_of(error))
    except BrokenPipeError:  # whoever read the output has seen enough, as in `train.py --help | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # where Python writes what is left at the end
        sys.exit(128 + signal.SIGPIPE)


def _accept_help_that_is_made_when_shown() -> None:
    """Let Hydra 1.3 start on Python 3.14, whose argparse refuses help that is no text yet, as of --shell-completion."""
    if hasattr(argparse.ArgumentParser, "_check_help"):
        argparse.ArgumentParser._check_help = lambda parser, action: None


def _run_hydra() -> None:
    """Run Hydra, a second time where it stumbles over a value that suits another option than the default one.

    Hydra first composes the whole sweep with the default options, without what is swept over. So what it does not know
    then is handed to it as a sweep, which the sweeper looks at in each combination.
    """
    try:
        task()
    except (HydraException, ValueError) as error:
        is_ours = re.match(rf"{NO_KEY} '(?!hydra)|{NO_OPTION}", str(error))
        if not (is_ours and SHOWS.isdisjoint(sys.argv)):
            raise
        typed = sys.argv
        sys.argv = [typed[0], *map(_as_sweep, typed[1:])]
        if sys.argv == typed:
            raise
        task()


def _overrides_first(words: list[str]) -> list[str]:
    """The overrides, then the flags with their values: Hydra refuses `width=16 -m seed=0,1`, a flag in between."""
    before = ["", *words]
    is_override = [not one.startswith("-") and before[at] not in TAKE_A_VALUE for at, one in enumerate(words)]
    return [words[at] for at in sorted(range(len(words)), key=lambda at: not is_override[at])]


def _as_sweep(argument: str) -> str:
    """`key=value,value`, which means the same, for a plain `key=value` that is not Hydra's own."""
    key, equals, value = argument.partition("=")
    if not equals or not re.fullmatch(r"(?!hydra\b)[\w./]+", key):
        return argument
    value = value or repr(value)
    is_swept = OverridesParser.create().parse_override(f"{key}={value}").is_sweep_override()
    return argument if is_swept else f"{key}={value},{value}"


def one_line(error: Exception) -> str:
    """Key, value and remedy on one line, even for Hydra's errors, which span several.

    For a misspelt option the nearest ones are named.
    """
    if isinstance(error, InstantiationException) and isinstance(error.__cause__, ConfigError):
        error = error.__cause__  # what gradflow says about Hydra's settings
    text = str(error)
    if isinstance(error, ConfigError):
        return text
    if isinstance(error, OverrideParseException):
        said = text.splitlines()[1 if text.startswith("Error parsing override") else 0]
        remedy = "write key=value, and quotes around special characters: \"key='a,b'\""
        return f"{shown(error.override)}: not understood ({said}); {remedy}"
    if missing := re.search(r"Could not find '([^']+)/([^'/]+)'", text):
        group, option = missing.groups()
        options = re.findall(r"^\t(\S+)$", text, flags=re.MULTILINE)
        return f"{group}={option}: no such option{nearest(option, options)} (options: {', '.join(options)})"
    if unlisted := re.search(r"Could not load '([^']+)/([^'/]+)'", text):
        group, option = unlisted.groups()
        return f"{group}={option}: no such option; {invocation.train('--help')} lists them"
    if twice := re.search(r"Multiple values for ([\w/]+)\. .*'override [\w/]+: (.*)'", text):
        group, option = twice.groups()
        return f"+{group}={option}: the group has an option; write {group}={option}, or {group}=[A,B] for several"
    if unknown := re.search(rf"{NO_KEY} '([^']+)'", text):
        value = re.search(rf"\+{re.escape(unknown.group(1))}=(.*)", text)
        typed = f"{unknown.group(1)}={value.group(1)}" if value else unknown.group(1)
        return f"{typed}: no such key; {invocation.train('--help')} lists the groups"
    if swept := re.search(rf"{SWEPT_SETTING} : '(.+)'", text):
        plain = re.sub(r"^\+*hydra\.sweeper\.params\.", "", swept.group(1))
        remedy = "name one" if plain == swept.group(1) else f"write {plain}"
        return f"{swept.group(1)}: a setting of Hydra's has one value for all runs; {remedy}"
    if nameless := re.search(r"Interpolation key '(data|model)\.name' not found", text):
        return f"{_option(nameless.group(1))}: has no name; add a line to its file, e.g. name: mine"
    if incomplete := re.search(r"is not in struct\s+full_key: (data|model|module)\.(\w+)", text):
        group, key = incomplete.groups()
        return f"{_option(group)}: has no {group}.{key}; let its file begin with defaults: [custom]"
    if ambiguous := re.search(rf"{AMBIGUOUS} '(.+)'", text):
        return f"{ambiguous.group(1)}: one configuration is shown, so name one value"
    if text.startswith(NO_OPTION):
        return f"{' '.join(sys.argv[1:])}: a group takes the name of an option, e.g. activation=relu"
    if text.startswith(TOO_LONG):
        longest = max(sys.argv[1:], key=len)
        return f"{shown(longest)}: needs a number that 64 bits can hold ({text.partition(';')[0]})"
    if text.startswith(WRONG_FLAGS):
        return f"{' '.join(sys.argv[1:])}: {text[0].lower()}{text[1:]}"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    cause = str(error.__cause__).splitlines()[0] if error.__cause__ else ""
    return " ".join(dict.fromkeys([*lines, cause])).strip()


def _option(group: str) -> str:
    """The option of a group as it was typed."""
    return next((one for one in sys.argv[1:] if one.startswith(f"{group}=")), group)


def _exit(message: str, status: int) -> NoReturn:
    terminal.complain(message)
    sys.exit(status)
