"""Names of run folders and of the files in them, spelled out once for writers and readers."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RUN_FILE = "run.json"
LOG_FILE = "train.log"
SAMPLES_FILE = "samples.npz"  # the samples of each set, and which tested ones were classified rightly
EVENT_FILES = "events.out.tfevents.*"
LOCK_FILE = ".lock"  # held while a process trains the run
PROGRESS_FILE = ".progress"  # how far it is, there only while it trains
HYDRA_FOLDER = ".hydra"
CONFIG_FILE = "config.yaml"  # in it: the composed configuration
OVERRIDES_FILE = "overrides.yaml"
CHECKPOINT_FOLDER = "checkpoints"
LAST_CHECKPOINT = "last.ckpt"
BEST_CHECKPOINT = "best.ckpt"
LONGEST_NAME = 120  # characters of a folder's name, legal on every file system
_ILLEGAL = re.compile(r"[^A-Za-z0-9_.,=+~@-]+")
# Text that cannot be mistaken for a number, a list, null, a boolean or a second axis.
_PLAIN_TEXT = re.compile(r"(?!(?:null|true|false|nan|[+-]?inf)$)(?![\d.xe+-]*$)[A-Za-z0-9_.+@-]+")


def seed_folder(seed: int | str) -> str:
    return f"seed={seed}"


def run_folder(output_dir: str | Path, study: str, config: str, seed: int) -> Path:
    """`outputs/<study>/<config>/seed=<n>`, the folder of one run."""
    return Path(output_dir) / study / config / seed_folder(seed)


def last_checkpoint(run: Path) -> Path:
    """The file that has the last complete epoch of a run."""
    return run / CHECKPOINT_FOLDER / LAST_CHECKPOINT


def best_checkpoint(run: Path) -> Path:
    """The file that has the epoch that validation chose."""
    return run / CHECKPOINT_FOLDER / BEST_CHECKPOINT


def config_name(axes: Mapping[str, Any]) -> str:
    """A folder name made of the values that distinguish a configuration from the others in its study.

    Args:
        axes: key -> value, in the order of the name.

    Returns:
        `activation=relu,blocks=4,...`, at most `LONGEST_NAME` characters and legal on every file system. A name that
        had to be altered or shortened, or could be read in two ways, ends in a digest of the axes, so that different
        axes never share a name.
    """
    plain = ",".join(f"{key}={_show(value)}" for key, value in axes.items())
    legal = _ILLEGAL.sub("_", plain).rstrip(".")
    if legal == plain and len(legal) <= LONGEST_NAME and all(map(_is_unmistakable, axes.values())):
        return legal
    digest = hashlib.sha256(json.dumps(list(axes.items())).encode()).hexdigest()[:8]
    return f"{legal[: LONGEST_NAME - len(digest) - 1]}~{digest}"


def _is_unmistakable(value: Any) -> bool:
    """Whether no other value is shown the same way."""
    if isinstance(value, str):
        return _PLAIN_TEXT.fullmatch(value) is not None
    return not isinstance(value, list | tuple) or (len(value) > 1 and all(isinstance(v, int | float) for v in value))


def _show(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "x".join(map(_show, value))
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)
