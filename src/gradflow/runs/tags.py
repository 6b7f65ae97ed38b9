"""The tags of metrics, the keys in TensorBoard and in run.json, spelled here only."""

import re
from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")
_PART = re.compile("^(val|valid|validation)(?=[/_])")  # at the beginning of a tag
_BEST, _AT_BEST = "_best", "_at_best"
_RUNNING_BN, _RECOMPUTED_BN = "_running_bn", "_recomputed_bn"
ACC, R2, MAE, LOSS = "acc", "r2", "mae", "loss"
F1, LABEL_ACC, EXACT_MATCH = "f1", "label_acc", "exact_match"  # of tasks with several labels
SCORES = (ACC, F1, LABEL_ACC, EXACT_MATCH, R2, MAE, LOSS)
GRAD_NORM, GRAD_RMS, GRAD_FLOW = "grad_norm", "grad_rms", "grad_flow"
TOTAL = "total"  # takes a layer's place
GRAD_NORM_TOTAL = f"{GRAD_NORM}/{TOTAL}"
GRAD_ABS_MEAN = "grad_abs_mean"
GRAD_ABS_MEAN_ALL_STEPS = "grad_abs_mean_all_steps"  # in run.json only
GAIN_PER_LAYER = f"{GRAD_FLOW}/gain_per_layer"
FIRST_TO_LAST = f"{GRAD_FLOW}/first_to_last"
OF_OPTIMIZERS = (GRAD_NORM_TOTAL, GRAD_ABS_MEAN, GAIN_PER_LAYER, FIRST_TO_LAST)  # one for each of several optimizers
DEAD_UNITS, LOW_SLOPE, DORMANT_UNITS = "dead_units", "low_slope", "dormant_units"
UNIT_QUANTITIES = (DEAD_UNITS, LOW_SLOPE, DORMANT_UNITS)
BEST_EPOCH = "best_epoch"  # in run.json only
OPEN_GROUPS = ("val", "test", GRAD_FLOW)  # of tags whose charts a reader wants to see first


def train(score: str) -> str:
    """Tag of a score of the training set: `acc` -> `train/acc`."""
    return f"train/{score}"


def val(score: str) -> str:
    """Tag of a score of the validation set: `acc` -> `val/acc`."""
    return f"val/{score}"


def test(score: str) -> str:
    """Tag of a score of the test set: `acc` -> `test/acc`."""
    return f"test/{score}"


TRAIN_LOSS_STEP = train("loss_step")


def best(tag: str) -> str:
    """Tag of the best value so far: `val/acc` -> `val/acc_best`."""
    return f"{tag}{_BEST}"


def at_best(tag: str) -> str:
    """Tag of a value at the epoch that validation chose: `test/acc` -> `test/acc_at_best`."""
    return f"{tag}{_AT_BEST}"


def running_bn(tag: str) -> str:
    """Tag of the last epoch's value by batch normalisation's running averages: `test/acc` -> `test/acc_running_bn`.

    Recorded where evaluation recomputes the statistics.
    """
    return f"{of_last_epoch(tag)}{_RUNNING_BN}"


def recomputed_bn(tag: str) -> str:
    """Tag of the last epoch's value by recomputed statistics: `test/acc` -> `test/acc_recomputed_bn`.

    Recorded where evaluation uses batch normalisation's running averages.
    """
    return f"{of_last_epoch(tag)}{_RECOMPUTED_BN}"


def is_other_bn(tag: str) -> bool:
    """Whether a tag is that of a value by the statistics that evaluation does not use."""
    return tag.endswith((_RUNNING_BN, _RECOMPUTED_BN))


def of_last_epoch(tag: str) -> str:
    """Tag of the plain value of the last epoch: `test/acc_at_best` and `test/acc_running_bn` -> `test/acc`."""
    for suffix in (_AT_BEST, _RUNNING_BN, _RECOMPUTED_BN):
        tag = tag.removesuffix(suffix)
    return tag


def is_of_best(tag: str) -> bool:
    """Whether a tag is that of a value at the epoch that validation chose."""
    return tag.endswith(_BEST)


def validation_of(tag: str) -> str:
    """Tag of the validation score that belongs to a test score: `test/acc_at_best` -> `val/acc`."""
    return of_last_epoch(tag).replace(test(""), val(""))


def test_of(tag: str) -> str:
    """Tag of the test score that belongs to a validation score: `val/acc` -> `test/acc`, `val_loss` -> `test_loss`."""
    return _PART.sub("test", tag)


def training_of(tag: str) -> str:
    """Tag of the training score that belongs to a validation score: `val/acc` -> `train/acc`."""
    return tag.replace(val(""), train(""))


def of_layer(quantity: str, layer: str) -> str:
    """Tag of a quantity of one layer, or of `total`: `grad_rms`, `01_block` -> `grad_rms/01_block`."""
    return f"{quantity}/{layer}"


def layer_of(tag: str) -> str:
    """`01_block` of `dead_units/01_block`."""
    return tag.rpartition("/")[2]


def of_optimizer(tag: str, number: int | None) -> str:
    """Tag of what one of several optimizers updates: `grad_norm/total` -> `grad_norm/total_1`; None: the only one."""
    return tag if number is None else f"{tag}_{number}"


def of_any_optimizer(tag: str) -> str:
    """The tag without the number of an optimizer: `grad_norm/total_1` -> `grad_norm/total`."""
    for single in OF_OPTIMIZERS:
        if tag.startswith(f"{single}_") and tag.removeprefix(f"{single}_").isdecimal():
            return single
    return tag


def by_layer(values: Mapping[str, T], quantity: str) -> dict[str, T]:
    """The values of `<quantity>/<layer>` by layer, without the total of all layers."""
    found = {tag: value for tag, value in values.items() if tag.startswith(f"{quantity}/")}
    total = of_layer(quantity, TOTAL)
    return {layer_of(tag): value for tag, value in found.items() if of_any_optimizer(tag) != total}
