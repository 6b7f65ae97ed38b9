"""What a command takes from the environment: $VARIABLES and ~ in paths, numbers that come as text.

Nothing else looks at variables in a path, so that everything of a run goes into one folder, wherever it is written.
"""

import os
import re

from omegaconf import DictConfig, OmegaConf

from gradflow.errors import ConfigError
from gradflow.runs import content

FOLDERS = ("output_dir", "data_dir")
# A study is the name of one folder. ~ stays in the path of data, which counts in a run's identity as it was typed.
TEXTS = (*FOLDERS, "study", "data.path")
_VARIABLE = re.compile(r"\$(\w+|\{[^}]*\})", re.ASCII)  # as os.path.expandvars sees it
_REFERENCE = re.compile(r"\$\{oc\.env:[^${}]*\}")
_WITHOUT_DEFAULT = re.compile(r"\$\{oc\.env:\s*(\w+)\s*\}")
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def expanded(key: str, text: str, *, home: bool = True) -> str:
    """A path with the values of its $VARIABLES and, at its beginning, the home folder for ~.

    Args:
        key: as typed on the command line, for the message.
        text: the path.
        home: whether ~ is replaced.

    Raises:
        ConfigError: if a variable is not set.
    """
    for found in _VARIABLE.finditer(text):
        name = found[1].strip("{}")
        if name not in os.environ:
            raise ConfigError(f"{key}={text}: the environment variable {name} is not set; set it or write another path")
    path = os.path.expandvars(text)
    if _VARIABLE.search(path):
        raise ConfigError(f"{key}={text}: means {path}, in which there is a $ again; write another path")
    return os.path.expanduser(path) if home else path  # noqa: PTH111 - as a text, for the configuration


def expand_paths(cfg: DictConfig) -> None:
    """Replace variables and ~ in every path of a configuration."""
    for key in TEXTS:
        text = OmegaConf.select(cfg, key)
        if isinstance(text, str) and ("$" in text or text.startswith("~")):
            OmegaConf.update(cfg, key, expanded(key, text, home=key in FOLDERS))


def read_numbers(cfg: DictConfig) -> None:
    """Replace each value that is an environment variable, and the text of a number there, by that number.

    Raises:
        ConfigError: if a variable is not set and has no default.
    """
    for key, text in content.texts(OmegaConf.to_container(cfg, resolve=False)):
        if (missing := _WITHOUT_DEFAULT.search(text)) and missing[1] not in os.environ:
            name = missing[1]
            remedy = f"set it, or say what else to take: {key}='${{oc.env:{name},...}}'"
            raise ConfigError(f"{key}={text}: the environment variable {name} is not set; {remedy}")
        if key not in TEXTS and _REFERENCE.fullmatch(text):
            value = OmegaConf.select(cfg, key)
            if isinstance(value, str) and _NUMBER.fullmatch(value):
                OmegaConf.update(cfg, key, int(value) if _WHOLE.fullmatch(value) else float(value))
