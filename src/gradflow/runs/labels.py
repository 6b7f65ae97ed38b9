"""How a metric is spelled for people: name, unit, number format."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gradflow.runs import metrics
from gradflow.runs.metrics import is_logarithmic
from gradflow.runs.record import Record

SELECTED_ON_TEST = "selected on test"
PERCENT, DECIMAL, POWER = "~%", "~g", "~e"  # number formats of d3, as Vega wants them
PER_CENT = "%"
NO_NUMBER = "\N{EN DASH}"

_PARTS = {"train": "training", "val": "validation", "test": "test"}
_SCORES = {"acc": "accuracy", "loss_step": "loss of a batch", "mae": "mean absolute error", "r2": "R²"}
_UNITS = {"acc": PER_CENT, "mae": "unit of the target"}
_NAMES = {
    metrics.DECADES_PER_LAYER: ("decades lost per layer, last epoch", "log10"),
    metrics.FIRST_TO_LAST: ("gradient of the first hidden layer over that of the last, last epoch", ""),
    metrics.GRAD_NORM_TOTAL: ("gradient norm, last epoch", ""),
    metrics.GRAD_ABS_MEAN_ALL_STEPS: ("mean absolute gradient, all steps", ""),
    metrics.unit_tag(metrics.DEAD_UNITS, "total"): ("dead units, last epoch", PER_CENT),
    metrics.unit_tag(metrics.LOW_SLOPE, "total"): ("entries with low slope, last epoch", PER_CENT),
    metrics.unit_tag(metrics.DORMANT_UNITS, "total"): ("dormant units, last epoch", PER_CENT),
}


@dataclass(frozen=True)
class Label:
    """Text of a metric, with its unit, and how its numbers are shown.

    Attributes:
        unit: empty where there is none; `%` for a fraction in [0, 1] that is shown in per cent.
        is_logarithmic: averaged as log10 and drawn on a logarithmic axis.
    """

    text: str
    unit: str = ""
    is_logarithmic: bool = False

    @property
    def is_fraction(self) -> bool:
        return self.unit == PER_CENT

    @property
    def with_unit(self) -> str:
        return f"{self.text} ({self.unit})" if self.unit else self.text

    @property
    def axis_format(self) -> str:
        return PERCENT if self.is_fraction else POWER if self.is_logarithmic else DECIMAL

    def number(self, value: float) -> str:
        """For a table: fractions in per cent with two decimals, else four significant digits; a dash for NaN."""
        if math.isnan(value):
            return NO_NUMBER
        return f"{100 * value:.2f}" if self.is_fraction else f"{value:.4g}"


def label(tag: str, records: Sequence[Record] = ()) -> Label:
    """Label of a tag of run.json; of a headline chosen on test data, it says so.

    Args:
        tag: e.g. `test/acc_at_best`.
        records: of the study; who selected the best epoch is read from them.
    """
    part, _, score = tag.partition("/")
    text, unit = _NAMES.get(tag, (tag, ""))
    if part in _PARTS:
        name = metrics.of_last_epoch(score).removesuffix("_best")
        text = f"{_PARTS[part]} {_SCORES.get(name, name)}"
        if score.endswith("_best"):
            text += " at the best epoch"
            if selected_on_test(records):
                text += f", {SELECTED_ON_TEST}"
        elif metrics.is_precise_bn(score):
            text += ", precise batch norm"
        unit = _UNITS.get(name, "")
    return Label(text=text, unit=unit, is_logarithmic=is_logarithmic(tag))


def selected_on_test(records: Sequence[Record]) -> bool:
    """Whether any run chose its best epoch on the test data."""
    return any(record.get("selected_on") == "test" for record in records)
