"""Metric tags and run-folder names, spelled here once for the part that writes them and the part that reads them.

Imports nothing heavy: the study tools read run folders without torch.
"""

import math

TRAIN_LOSS_STEP = "train/loss_step"  # the loss of every step's batch; train/loss is the mean over the epoch
GRAD_NORM_TOTAL = "grad_norm/total"
GRAD_ABS_MEAN = "grad_abs_mean"
GRAD_ABS_MEAN_ALL_STEPS = "grad_abs_mean_all_steps"  # in run.json only: the mean over every step of training
DECADES_PER_LAYER = "grad_flow/decades_per_layer"
FIRST_TO_LAST = "grad_flow/first_to_last"
DEAD_UNITS = "dead_units"
LOW_SLOPE = "low_slope"
DORMANT_UNITS = "dormant_units"
UNIT_QUANTITIES = (DEAD_UNITS, LOW_SLOPE, DORMANT_UNITS)
BEST_EPOCH = "best_epoch"  # in run.json only: counted from 1


_PRECISE_BN = "_precise_bn"


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


def is_score(metric: str) -> bool:
    """Whether one of two values is the better one; nobody knows that of a gradient norm."""
    return metric.rpartition("/")[2].startswith(("acc", "r2", "loss", "mae"))


def lower_is_better(metric: str) -> bool:
    return metric.rpartition("/")[2].startswith(("loss", "mae"))
