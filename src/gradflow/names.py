"""Metric tags and run-folder names, spelled here once for the part that writes them and the part that reads them.

Imports nothing heavy: the study tools read run folders without torch.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TRAIN_LOSS_STEP = "train/loss_step"  # the loss of every step's batch; train/loss is the mean over the epoch
GRAD_NORM_TOTAL = "grad_norm/total"
GRAD_ABS_MEAN = "grad_abs_mean"
GRAD_ABS_MEAN_ALL_STEPS = "grad_abs_mean_all_steps"  # in run.json only: the mean over every step of training
DECADES_PER_LAYER = "grad_flow/decades_per_layer"
FIRST_TO_LAST = "grad_flow/first_to_last"
DEAD_UNITS = "dead_units"
LOW_SLOPE = "low_slope"
DORMANT_UNITS = "dormant_units"
BEST_EPOCH = "best_epoch"  # in run.json only: counted from 1

RUN_FILE = "run.json"
LOG_FILE = "train.log"
EVENT_FILES = "events.out.tfevents.*"
LOCK_FILE = ".lock"  # held while a process trains the run
HYDRA_FOLDER = ".hydra"
CHECKPOINT_FOLDER = "checkpoints"
LAST_CHECKPOINT = "last.ckpt"
BEST_CHECKPOINT = "best.ckpt"

LONGEST_NAME = 120  # characters of a folder's name, legal on every file system
_PRECISE_BN = "_precise_bn"
_ILLEGAL = re.compile(r"[^A-Za-z0-9_.,=+~@-]+")
# Text that nobody takes for a number, a list, null or a truth value, nor for a second axis.
_PLAIN_TEXT = re.compile(r"(?!(?:null|true|false|nan|[+-]?inf)$)(?![\d.xe+-]*$)[A-Za-z0-9_.+@-]+")


def grad_norm(layer: str) -> str:
    """Tag of the Euclidean norm over weight and bias of a layer."""
    return f"grad_norm/{layer}"


def grad_rms(layer: str) -> str:
    """Tag of the root mean square of a layer's weight gradient."""
    return f"grad_rms/{layer}"


def unit_tag(quantity: str, layer: str) -> str:
    """Tag of a unit statistic (`dead_units`, `low_slope`, `dormant_units`) of one layer or of `total`."""
    return f"{quantity}/{layer}"


def is_logarithmic(tag: str) -> bool:
    """Whether a tag is a gradient magnitude, which is averaged as log10: otherwise lower bounds turn negative."""
    return tag.startswith(("grad_norm/", "grad_rms/", GRAD_ABS_MEAN, FIRST_TO_LAST))


def limits(tag: str) -> tuple[float, float]:
    """The lowest and the highest value that a metric can have, where the interval of its mean has to end."""
    group, _, name = tag.partition("/")
    score = name.partition("_")[0] if group in ("train", "val", "test") else ""
    if score == "acc" or group in (DEAD_UNITS, LOW_SLOPE, DORMANT_UNITS):
        return 0.0, 1.0
    if score in ("loss", "mae"):
        return 0.0, math.inf
    if tag == BEST_EPOCH:
        return 1.0, math.inf
    return (-math.inf, 1.0) if score == "r2" else (-math.inf, math.inf)


def best(tag: str) -> str:
    """Tag of the best value so far: `val/acc` -> `val/acc_best`."""
    return f"{tag}_best"


def at_best(tag: str) -> str:
    """Tag of a value at the epoch that validation chose: `test/acc` -> `test/acc_at_best`."""
    return f"{tag}_at_best"


def precise_bn(tag: str) -> str:
    """Tag of a value with batch normalisation's statistics computed anew: `test/acc` -> `test/acc_precise_bn`."""
    return f"{tag}{_PRECISE_BN}"


def is_precise_bn(tag: str) -> bool:
    """Whether a tag is one of `precise_bn`."""
    return tag.endswith(_PRECISE_BN)


def of_last_epoch(tag: str) -> str:
    """Tag of the plain value of the last epoch: `test/acc_at_best` and `test/acc_precise_bn` -> `test/acc`."""
    return tag.removesuffix("_at_best").removesuffix(_PRECISE_BN)


def seed_folder(seed: int) -> str:
    return f"seed={seed}"


def run_folder(output_dir: str | Path, study: str, config: str, seed: int) -> Path:
    """`outputs/<study>/<config>/seed=<n>`, the folder of one run."""
    return Path(output_dir) / study / config / seed_folder(seed)


def config_name(axes: Mapping[str, Any]) -> str:
    """A folder name from the values that tell a configuration from the others of its study.

    Args:
        axes: key to value in the order of appearance.

    Returns:
        `activation=relu,blocks=4,...`, at most `LONGEST_NAME` characters and legal on every file system. A name that
        had to be altered or shortened, or could be read in two ways, ends in a digest of the axes, so that different
        axes differ.
    """
    plain = ",".join(f"{key}={_show(value)}" for key, value in axes.items())
    legal = _ILLEGAL.sub("_", plain).rstrip(".")
    if legal == plain and len(legal) <= LONGEST_NAME and all(map(_is_unmistakable, axes.values())):
        return legal
    digest = hashlib.sha256(json.dumps(list(axes.items())).encode()).hexdigest()[:8]
    return f"{legal[: LONGEST_NAME - len(digest) - 1]}~{digest}"


def _is_unmistakable(value: Any) -> bool:
    """Whether no other value is shown in the same way."""
    if isinstance(value, str):
        return _PLAIN_TEXT.fullmatch(value) is not None
    return not isinstance(value, list | tuple) or (len(value) > 1 and all(isinstance(v, int | float) for v in value))


def _show(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "x".join(map(_show, value))
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)
